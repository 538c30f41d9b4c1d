/** The four octets, or `undefined`. No leading zeros: some systems read those as octal. */
export function ipv4Octets(text: string): number[] | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  if (!octets.every((octet) => /^(0|[1-9][0-9]{0,2})$/.test(octet))) return undefined;
  const numbers = octets.map(Number);
  return numbers.every((octet) => octet <= 255) ? numbers : undefined;
}

/** The eight groups of 16 bits, or `undefined`. A zone ("%eth0") is not accepted. */
export function ipv6Groups(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = "", tail] = halves;
  const before = groupsOf(head, { mayEndInIpv4: tail === undefined });
  const after = tail === undefined ? [] : groupsOf(tail, { mayEndInIpv4: true });
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function groupsOf(
  text: string,
  { mayEndInIpv4 }: { mayEndInIpv4: boolean },
): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    const octets = mayEndInIpv4 && index === words.length - 1 ? ipv4Octets(word) : undefined;
    if (octets !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = octets;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(word)) {
      groups.push(parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
