import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Logs by log4j2's JeroMQ appender: "probe" until it is told to go on, then `line 1` to `line N`. */
public class Log4jPeer {
  public static void main(String[] arguments) throws Exception {
    Logger logger = LogManager.getLogger("test");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    while (!lines.ready()) {
      logger.info("probe");
      Thread.sleep(20);
    }
    for (int i = 1; i <= Integer.parseInt(arguments[0]); i++) logger.info("line " + i);
    while (lines.readLine() != null) { // until the test ends us
    }
  }
}
