/** Section 4.7 word by word, as slow as it likes to be: what trie and retained tree are held to. */

/** Whether a valid Topic Filter matches a valid Topic Name. */
export function naiveMatch(filter: string, topic: string): boolean {
  // [MQTT-4.7.2-1]
  if (topic.startsWith("$") && (filter.startsWith("#") || filter.startsWith("+"))) return false;
  return matchLevels(filter.split("/"), topic.split("/"));
}

function matchLevels(filter: readonly string[], topic: readonly string[]): boolean {
  const [wanted, ...filterRest] = filter;
  if (wanted === undefined) return topic.length === 0;
  if (wanted === "#") return true; // "sport/#" matches "sport" too: nothing may be left
  const [level, ...topicRest] = topic;
  if (level === undefined) return false;
  return (wanted === "+" || wanted === level) && matchLevels(filterRest, topicRest);
}
