/** Mosquitto's `acl_file` in the words of our access file. */
import {
  CONTROL_CHARACTER,
  Diagnostics,
  type FileDiagnostic,
  type ParsedFile,
} from "./file_diagnostic.ts";
import { writtenRest, writtenWord } from "./_line_words.ts";
import { parseRuleFilter } from "./_rule_filter.ts";

/** An access file, and what in it means something else than it did. */
export interface ImportedAccessFile {
  readonly text: string;
  /** By line of Mosquitto's file. */
  readonly notes: readonly FileDiagnostic[];
}

const HEAD = `# Imported from an acl_file of Mosquitto.
#
# Mosquitto grants every subscription and looks at each message when it is delivered. So do the lines
# with "subscribe"; to refuse subscriptions instead, remove them and write "subscribe,read" below.
`;

/** Mosquitto checks publishing and delivery; it has no rules for SUBSCRIBE. */
const OPERATIONS: Readonly<Record<string, string>> = {
  read: "allow read",
  write: "allow publish",
  readwrite: "allow publish,read",
  deny: "deny publish,read",
};

const PATTERN_DENY = "a pattern that denies wins here over what a topic line allows, too";
const PATTERN_DENY_VALUE =
  "for a client without a value for %u or %c, or with one that is refused, this denies all from " +
  "that level on; in Mosquitto it denies nothing";

/** Translates the text of an `acl_file`, or tells every mistake in it. */
export function importMosquittoAcl(text: string): ParsedFile<ImportedAccessFile> {
  return new MosquittoAclReader().read(text);
}

class MosquittoAclReader {
  readonly #diagnostics = new Diagnostics();
  readonly #notes: FileDiagnostic[] = [];
  readonly #lines: string[] = [];
  /** First levels that begin with `$`, which "#" does not match. */
  readonly #serverLevels = new Set<string>();
  /** Whom topic lines are for; before the first user line, anonymous clients. */
  #user = "anonymous";
  /** Whom our rules are for at this point. */
  #section = "";
  #line = 0;

  read(text: string): ParsedFile<ImportedAccessFile> {
    for (const written of text.split("\n")) this.#readLine(written.replace(/[\r\n]+$/, ""));
    const subscribe = ["#", ...[...this.#serverLevels].map((level) => `${level}/#`)]
      .map((filter) => `allow subscribe ${filter}\n`);
    return this.#diagnostics.finish({
      text: `${HEAD}\neveryone\n${subscribe.join("")}\n${this.#lines.join("\n").trim()}\n`,
      notes: this.#notes,
    });
  }

  #readLine(written: string): void {
    this.#line++;
    if (written.trim() === "" || written.startsWith("#")) {
      const control = CONTROL_CHARACTER.test(written.replaceAll("\t", " "));
      this.#lines.push(control ? "#" : written.trim());
      return;
    }
    const words = /^ *(\S+) *(.*)$/s.exec(written);
    const [, verb = "", rest = ""] = words ?? [];
    if (verb === "user") this.#userLine(rest.trim(), written.length - rest.length + 1);
    else if (verb === "topic" || verb === "pattern") {
      this.#rule({ verb, rest, column: written.length - rest.length + 1 });
    } else {
      const message = `unknown word ${JSON.stringify(verb)}; it is none of user, topic, pattern`;
      this.#diagnostics.add(this.#line, 1, message);
    }
  }

  #userLine(name: string, column: number): void {
    if (name === "" || CONTROL_CHARACTER.test(name)) {
      const message = "the user name is missing or contains a control character";
      this.#diagnostics.add(this.#line, column, message);
    } else this.#user = `user ${writtenWord(name)}`;
  }

  #rule({ verb, rest, column }: { verb: string; rest: string; column: number }): void {
    const [, access = "", spaced] = /^(\S*)(?: +(.*))?$/s.exec(rest) ?? [];
    // Without a second word the first one is the topic.
    const known = spaced === undefined || spaced === "" ? "readwrite" : access;
    const topic = spaced === undefined || spaced === "" ? access : spaced;
    const rule = Object.hasOwn(OPERATIONS, known) ? OPERATIONS[known] : undefined;
    if (rule === undefined) {
      const message = `${JSON.stringify(access)} is none of ${Object.keys(OPERATIONS).join(", ")}`;
      this.#diagnostics.add(this.#line, column, message);
      return;
    }
    const pattern = verb === "pattern";
    // A topic line knows no substitution, and a pattern only these two.
    const filter = topic.replaceAll(pattern ? /%(?![uc])/g : /%/g, "%%");
    const levels = parseRuleFilter(filter);
    if ("fault" in levels) {
      this.#diagnostics.add(this.#line, column + rest.length - topic.length, levels.fault);
      return;
    }
    const [first] = levels;
    if (typeof first === "string" && first.startsWith("$")) {
      this.#serverLevels.add(filter.split("/", 1)[0]!);
    }
    if (pattern && rule.startsWith("deny")) {
      this.#note(PATTERN_DENY);
      if (levels.some((level) => typeof level !== "string")) this.#note(PATTERN_DENY_VALUE);
    }
    this.#enter(pattern ? "everyone" : this.#user);
    this.#lines.push(`${rule} ${writtenRest(filter)}`);
  }

  /** Writes whom the next rule is for, unless it is for the same as the last one. */
  #enter(section: string): void {
    if (this.#section === section) return;
    this.#section = section;
    if (this.#lines.length > 0 && this.#lines.at(-1) === "") this.#lines.push(section);
    else this.#lines.push("", section);
  }

  #note(message: string): void {
    this.#notes.push({ line: this.#line, column: 1, message });
  }
}
