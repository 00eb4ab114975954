import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import org.zeromq.ZMQ;

/**
 * A peer on JeroMQ, which speaks ZMTP 2.0 up to version 0.3. One job per line of standard input:
 *   id TYPE bind|connect endpoint count identity|-
 * Answers: `id ready endpoint`, `id got part|part` for each message (long parts by their length), `id done`, `id error why`.
 */
public class JeromqPeer {
  static final ZMQ.Context CONTEXT = ZMQ.context(1);

  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      String[] job = line.split(" ");
      Thread thread = new Thread(() -> run(job));
      thread.setDaemon(true);
      thread.start();
    }
    System.exit(0);
  }

  static synchronized void say(String id, String what) {
    System.out.println(id + " " + what);
    System.out.flush();
  }

  static void run(String[] job) {
    String id = job[0];
    try {
      ZMQ.Socket socket = CONTEXT.socket(ZMQ.class.getField(job[1]).getInt(null));
      socket.setLinger(20000);
      socket.setReceiveTimeOut(20000);
      if (!job[5].equals("-")) socket.setIdentity(job[5].getBytes("ISO-8859-1"));
      if (job[1].equals("SUB")) socket.subscribe("t".getBytes());
      String endpoint = job[3];
      if (job[2].equals("bind")) endpoint = "tcp://127.0.0.1:" + socket.bindToRandomPort("tcp://127.0.0.1");
      else socket.connect(endpoint);
      say(id, "ready " + endpoint);
      play(id, job[1], Integer.parseInt(job[4]), socket);
      say(id, "done");
      Thread.sleep(20000); // the test ends the process long before
    } catch (Throwable error) {
      say(id, "error " + error);
    }
  }

  static void play(String id, String type, int count, ZMQ.Socket socket) throws Exception {
    switch (type) {
      case "XPUB":
        say(id, "got " + text(receive(socket)));
        for (int i = 0; i < count; i++) send(socket, message("t", i));
        break;
      case "PUB":
        for (int i = 0; ; i++) { // until the test has heard enough and ends us
          send(socket, message("t", i % count));
          if (i % count == count - 1) Thread.sleep(20);
        }
      case "PUSH":
        for (int i = 0; i < count; i++) send(socket, message("m", i));
        break;
      case "REQ":
        for (int i = 0; i < count; i++) {
          send(socket, message("m", i));
          say(id, "got " + text(receive(socket)));
        }
        break;
      case "SUB":
      case "PULL":
        for (int i = 0; i < count; i++) say(id, "got " + text(receive(socket)));
        break;
      case "XSUB":
        send(socket, List.of(new byte[] {1, 't'}));
        for (int i = 0; i < count; i++) say(id, "got " + text(receive(socket)));
        break;
      default: // PAIR, DEALER, ROUTER, REP: say it back
        for (int i = 0; i < count; i++) {
          List<byte[]> parts = receive(socket);
          say(id, "got " + text(parts));
          send(socket, parts);
        }
    }
  }

  /** Three parts: the number, none, and one that is short, long, or very long. */
  static List<byte[]> message(String topic, int i) {
    byte[] body = new byte[new int[] {0, 255, 256, 100000}[i % 4]];
    java.util.Arrays.fill(body, (byte) 'x');
    return List.of((topic + i).getBytes(), new byte[0], body);
  }

  static void send(ZMQ.Socket socket, List<byte[]> parts) {
    for (int i = 0; i < parts.size(); i++) socket.send(parts.get(i), i < parts.size() - 1 ? ZMQ.SNDMORE : 0);
  }

  static List<byte[]> receive(ZMQ.Socket socket) {
    List<byte[]> parts = new ArrayList<>();
    do {
      byte[] part = socket.recv(0);
      if (part == null) throw new RuntimeException("nothing came");
      parts.add(part);
    } while (socket.hasReceiveMore());
    return parts;
  }

  static String text(List<byte[]> parts) throws Exception {
    List<String> texts = new ArrayList<>();
    for (byte[] part : parts) {
      if (part.length > 100) texts.add("" + part.length);
      else {
        StringBuilder text = new StringBuilder();
        for (byte octet : part) text.append(octet < 32 ? String.format("<%02x>", octet) : "" + (char) octet);
        texts.add(text.toString());
      }
    }
    return String.join("|", texts);
  }
}
