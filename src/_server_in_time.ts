/** The end of the broker waits for nothing for ever. */

/** What `work` gives, or null if it takes longer. What rejects later is nobody's business any more. */
export async function inTime<T>(work: Promise<T>, withinMs: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), withinMs));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
