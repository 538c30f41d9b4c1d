/** Long lists of the admin API. */
import type { CtlAnswer, CtlClient, CtlRequest } from "./_ctl_client.ts";

/** One page, as the API gives it. */
export interface CtlPage {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly next: string | null;
  readonly total: number | null;
}

/** Asks for all pages, and gives them as one; or the first answer that is none. */
export async function allPages(
  client: CtlClient,
  request: CtlRequest,
): Promise<CtlAnswer | { problem: string }> {
  const items: CtlPage["items"][number][] = [];
  let { target } = request;
  for (;;) {
    const answer = await client.ask({ ...request, target });
    if ("problem" in answer || answer.status !== 200) return answer;
    const page = answer.json as CtlPage;
    for (const item of page.items) items.push(item);
    if (page.next === null) {
      return { status: 200, json: { ...page, items, next: null } };
    }
    const mark = request.target.includes("?") ? "&" : "?";
    target = `${request.target}${mark}cursor=${encodeURIComponent(page.next)}`;
  }
}
