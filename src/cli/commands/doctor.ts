/** `zwire doctor`: what is installed, what the machine allows, and whether messages arrive. */
import { command } from "../command.js";
import { healthy, printSections, type Section } from "../doctor/finding.js";
import { installation } from "../doctor/installation.js";
import { machine } from "../doctor/machine.js";
import { trials } from "../doctor/trial.js";
import { EXIT } from "../errors.js";

export const doctor = command({
  synopsis: "zwire doctor [options]",
  about: `Looks at what is installed (engine, addon, versions), at limits of this machine, and sends messages over each transport.
Each finding is ok, a warning, a failure, or skipped, with what to do about it. The exit code is 1 if something fails.`,
  options: {
    json: { help: "print the findings as JSON" },
  },
  examples: [
    ["zwire doctor", "what to look at first if something does not work"],
    ["zwire doctor --json > doctor.json", "for a report"],
  ],
  async run({ values }, output) {
    const sections: Section[] = [
      { title: "Installed", findings: await installation() },
      { title: "This machine", findings: machine() },
      { title: "Messages within this process", findings: await trials() },
    ];
    const well = healthy(sections);
    if (values.json) output.out(`${JSON.stringify({ ok: well, sections }, null, 2)}\n`);
    else printSections(sections, output);
    return well ? EXIT.ok : EXIT.failed;
  },
});
