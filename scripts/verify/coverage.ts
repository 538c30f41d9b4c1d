/** The section "coverage": how much of the rooms that decide is run by their tests. */
import { measureRooms, type RoomCoverage } from "../coverage.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "coverage";

/** Runs the tests of the rooms; nothing with `quick`. */
export async function run({ quick }: VerifyOptions): Promise<VerifyRow[]> {
  if (quick) return [];
  const startedMs = performance.now();
  const rooms = await measureRooms();
  const seconds = (performance.now() - startedMs) / 1000;
  if (rooms === null) throw new Error("Cannot measure coverage: a test fails");
  return coverageRows(rooms, seconds);
}

/** A row for each room. */
export function coverageRows(rooms: readonly RoomCoverage[], seconds: number): VerifyRow[] {
  return rooms.map(({ room, lines, branches, isWithin }) => ({
    section: SECTION,
    name: `src/${room}`,
    tool: "deno coverage",
    size: `lines ${lines.text.trim()}, branches ${branches.text.trim()}`,
    seconds,
    ok: isWithin,
  }));
}
