/** A broker whose admin listener speaks TLS, and HTTP over that. */
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { type IssuedFiles, SERVER_EXTENSIONS, TestAuthority } from "../support/test_authority.ts";
import { TlsClient, type TlsClientOptions } from "../support/tls_client.ts";

/** An authority, a server and a caller. */
export interface AdminPki {
  readonly ca: TestAuthority;
  readonly server: IssuedFiles;
  /** Its Common Name is "ops". */
  readonly client: IssuedFiles;
}

/** Makes them in a directory. */
export async function makeAdminPki(directory: string): Promise<AdminPki> {
  const ca = await TestAuthority.root(directory, "admin-ca");
  const server = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
  return { ca, server, client: await ca.issue({ subject: "/CN=ops" }) };
}

/** A broker with a TLS admin listener. */
export function tlsAdminBroker(
  server: IssuedFiles,
  admin: ConfigChanges["admin"] = {},
): Promise<TestBroker> {
  return TestBroker.start({ admin: { address: "127.0.0.1:0", ...server, ...admin } });
}

/** The status of an answer, and all of it as text; status 0 where there is none. */
export async function askTls(
  { server }: TestBroker,
  path: string,
  { token, ...options }: { token?: string } & Omit<TlsClientOptions, "port"> = {},
): Promise<{ status: number; text: string }> {
  using client = await TlsClient.connect({ port: server.adminAddress!.port, ...options });
  const bearer = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${bearer}\r\n`;
  await client.send(new TextEncoder().encode(request)).catch(() => {});
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await client.receive(); part !== null; part = await client.receive()) {
    text += decoder.decode(part, { stream: true });
  }
  return { status: Number(text.split(" ")[1] ?? 0), text };
}
