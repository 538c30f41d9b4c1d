/** The LCOV format, as `deno coverage --lcov` writes it. */

/** How much of one file was run. */
export interface FileCoverage {
  readonly path: string;
  readonly lines: { readonly found: number; readonly hit: number };
  readonly branches: { readonly found: number; readonly hit: number };
  /** Lines that were not run, and lines with a branch that was not taken. */
  readonly missed: readonly number[];
  readonly missedBranches: readonly number[];
}

/** Reads the records of all files. */
export function parseLcov(text: string): FileCoverage[] {
  return text.split("end_of_record").flatMap((record) => {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) return [];
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
    const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(-|\d+)$/gm)];
    const missed = lines.filter(([, , count]) => count === "0").map(([, line]) => Number(line));
    const untaken = branches.filter(([, , count]) => count === "0" || count === "-");
    return [{
      path,
      lines: { found: lines.length, hit: lines.length - missed.length },
      branches: { found: branches.length, hit: branches.length - untaken.length },
      missed,
      missedBranches: untaken.map(([, line]) => Number(line)),
    }];
  });
}
