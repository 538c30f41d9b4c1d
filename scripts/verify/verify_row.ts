/** What one line of the table of `deno task verify` says. */

/** One property proved, one model explored, or one check of the proofs themselves. */
export interface VerifyRow {
  readonly section: string;
  readonly name: string;
  /** Tool and version. */
  readonly tool: string;
  /** How much was looked at: states, assertions, obligations. */
  readonly size: string;
  readonly seconds: number;
  readonly ok: boolean;
  /** Why it failed, or what it leaves out. */
  readonly detail?: string;
}

/** How to verify. */
export interface VerifyOptions {
  /** The bounded version, for CI. */
  readonly quick: boolean;
  /** A folder for the questions that Z3 is asked, as files of SMT-LIB. */
  readonly smtFolder?: string;
  /** Whether every mutant is printed, with what has noticed it. */
  readonly listMutants?: boolean;
}

/** A module of this folder that proves or explores something. */
export interface VerifySection {
  /** Throws `MissingTool` if it cannot run here. */
  run(options: VerifyOptions): Promise<VerifyRow[]>;
}

/** A program that a section needs is not installed. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";

  /** `package_`: the Debian package it comes with. */
  constructor(readonly tool: string, readonly debianPackage: string) {
    super(`Cannot run ${tool}: it is not installed (Debian package ${debianPackage})`);
  }
}
