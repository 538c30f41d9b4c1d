/** Login guards with small limits, and addresses to try them. */
import {
  type IpAddress,
  LoginGuard,
  type LoginGuardLimits,
  parseIpAddress,
  parseIpList,
} from "../../src/security/mod.ts";

/** Small limits. */
export const LIMITS: LoginGuardLimits = {
  failuresMax: 3,
  windowMs: 1000,
  lockOutMs: 5000,
  lockOutMsMax: 30_000,
  addressesMax: 100,
};

/** A guard with these limits instead, and these addresses exempt. */
export function guard(limits: Partial<LoginGuardLimits> = {}, exempt: string[] = []): LoginGuard {
  const parsed = parseIpList(exempt);
  if ("problems" in parsed) throw new Error("exempt");
  return new LoginGuard({ ...LIMITS, ...limits }, parsed.set);
}

/** An address that is known to be good. */
export function address(text: string): IpAddress {
  return parseIpAddress(text) as IpAddress;
}

/** Some address. */
export const PEER = address("192.0.2.1");

/** Fails often enough. */
export function lockOut(logins: LoginGuard, peer: IpAddress, nowMs: number): void {
  for (let i = 0; i < LIMITS.failuresMax; i++) logins.failed(peer, nowMs);
}
