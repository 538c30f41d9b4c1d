/** Section 4.7 word by word, as slow as it likes to be: what trie and retained tree are held to. */

/** Whether a valid Topic Filter matches a valid Topic Name. */
export function naiveMatch(filter: string, topic: string): boolean {
  return naiveMatchLevels(filter.split("/"), topic.split("/"));
}

/** The same for both cut into levels; a level of a filter that only begins with `#` or `+` is text. */
export function naiveMatchLevels(filter: readonly string[], topic: readonly string[]): boolean {
  // [MQTT-4.7.2-1]
  if (topic[0]!.startsWith("$") && (filter[0] === "#" || filter[0] === "+")) return false;
  return matchFrom(filter, topic, 0);
}

function matchFrom(filter: readonly string[], topic: readonly string[], at: number): boolean {
  if (at === filter.length) return topic.length === at;
  if (filter[at] === "#") return true; // "sport/#" matches "sport" too: nothing may be left
  if (at >= topic.length) return false;
  return (filter[at] === "+" || filter[at] === topic[at]) && matchFrom(filter, topic, at + 1);
}
