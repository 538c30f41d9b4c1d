/** Keys that are about the memory of the whole process: nothing else may run in it. */
import { memoryCases } from "./_memory_cases.ts";

for (const [key, check] of Object.entries(memoryCases)) {
  Deno.test(`the broker obeys ${key}`, check);
}
