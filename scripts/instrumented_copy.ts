/** A copy of the repository in which some sources say what they do: for mutants and for guided fuzzing. */

const ROOT = new URL("../", import.meta.url).pathname;
const FILES = ["deno.json", "deno.lock", "main.ts"];
const DIRECTORIES = ["src", "tests", "fuzz", "scripts"];

/** Copies the repository; the TypeScript files of `rooms` (such as `src/mqtt`) pass through `rewrite`. */
export async function copyInstrumented(
  root: string,
  { rooms, rewrite }: {
    rooms: readonly string[];
    rewrite: (text: string, file: string) => string;
  },
): Promise<void> {
  for (const name of FILES) await Deno.copyFile(ROOT + name, `${root}/${name}`);
  for (const file of DIRECTORIES.flatMap(repositoryFiles)) {
    await Deno.mkdir(`${root}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
    const rewritten = file.endsWith(".ts") && rooms.some((room) => file.startsWith(`${room}/`));
    if (!rewritten) await Deno.copyFile(ROOT + file, `${root}/${file}`);
    else {
      const text = await Deno.readTextFile(ROOT + file);
      await Deno.writeTextFile(`${root}/${file}`, rewrite(text, file));
    }
  }
}

/** Paths of all files of a directory, from the root of the repository, sorted. */
export function repositoryFiles(directory: string): string[] {
  return [...Deno.readDirSync(ROOT + directory)].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory ? repositoryFiles(path) : [path];
  }).sort();
}
