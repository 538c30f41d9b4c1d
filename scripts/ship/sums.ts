/** SHA-256 sums, as `sha256sum --check` reads them. */

const SUMS = "SHA256SUMS";

/** SHA-256 in hexadecimal digits. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex();
}

/** Writes `SHA256SUMS` of all files in a folder, but for itself. */
export async function writeSums(directory: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && name !== SUMS) names.push(name);
  }
  let text = "";
  for (const name of names.toSorted()) {
    text += `${await sha256Hex(await Deno.readFile(`${directory}/${name}`))}  ${name}\n`;
  }
  await Deno.writeTextFile(`${directory}/${SUMS}`, text);
}
