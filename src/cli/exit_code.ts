/** What the process exits with. Scripts and supervisors rely on these numbers. */
export const EXIT_CODE = {
  /** All went well. */
  ok: 0,
  /** The configuration is wrong, or a file cannot be read or written. */
  config: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The broker could not start. */
  start: 3,
  /** A fault of the broker itself. */
  internal: 4,
  /** What was asked is not so: a password is wrong, an access is denied, a node breaks rules. */
  denied: 5,
  /** The broker has ended in an orderly way because the memory was short. */
  memory: 6,
  /** The broker was told to end and could not in time; what it had acknowledged is stored. */
  late: 7,
  /** The broker cannot be reached, or the connection to it broke. */
  connection: 8,
  /** What was waited for has not come in time. */
  silence: 9,
  /** Ended by SIGINT before it was done, as a shell tells it. */
  interrupted: 130,
} as const;

/** The same for people, for `--help`. */
export const EXIT_CODE_HELP = `Exit codes:
  ${EXIT_CODE.ok}  all went well
  ${EXIT_CODE.config}  the configuration is wrong, or a file cannot be read or written
  ${EXIT_CODE.usage}  the command line is wrong
  ${EXIT_CODE.start}  the broker could not start: address in use, data directory locked
  ${EXIT_CODE.internal}  internal error
  ${EXIT_CODE.denied}  the answer is no: a wrong password, a denied access, a node that breaks rules
  ${EXIT_CODE.memory}  the memory was short: nothing acknowledged is lost, start it again
  ${EXIT_CODE.late}  it was told to end and could not in time; nothing acknowledged is lost
  ${EXIT_CODE.connection}  the broker cannot be reached, or the connection to it broke
  ${EXIT_CODE.silence}  what was waited for has not come in time
`;
