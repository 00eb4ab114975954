/** The page of the service: a form for a source, and the progress of a survey as it comes. */
export const page = `<!doctype html>
<meta charset="utf-8">
<title>Python, checked by Python</title>
<style>body { font: 16px system-ui; max-width: 48rem; margin: 2rem auto } textarea { width: 100%; height: 12rem }</style>
<h1>Python, checked by Python</h1>
<textarea id="source">import os, sys

def greet(names=[]):
    for name in names:
        print("hello", name)
</textarea>
<p><button id="check">Check</button></p>
<pre id="findings"></pre>
<p>Survey of a package: <input id="package" value="asyncio"> <button id="survey">Start</button> <button id="stop">Stop</button></p>
<progress id="bar" value="0" max="1"></progress>
<pre id="report"></pre>
<script type="module">
  const part = (id) => document.getElementById(id);
  part("check").onclick = async () => {
    const answer = await fetch("/check", { method: "POST", body: part("source").value });
    const { error, findings } = await answer.json();
    part("findings").textContent = error ?? (findings.map((one) => one.line + ": " + one.text).join("\\n") || "nothing to say");
  };
  let events;
  part("stop").onclick = () => events?.close();
  part("survey").onclick = () => {
    events?.close();
    events = new EventSource("/survey?package=" + encodeURIComponent(part("package").value));
    events.onmessage = ({ data }) => {
      const item = JSON.parse(data);
      if (item.total) Object.assign(part("bar"), { value: item.done, max: item.total });
      part("report").textContent = JSON.stringify(item, null, 2);
    };
    events.addEventListener("end", () => events.close());
    events.onerror = () => events.close();
  };
</script>
`;
