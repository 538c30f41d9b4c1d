/**
 * A system that is carried out beside the real code: what the code does is a step of the system, and
 * after each both must tell the same.
 */
import { assert } from "@std/assert";
import type { ArrayValue, Value, Values } from "../../scripts/verify/proofs/evaluate.ts";
import { Machine } from "../../scripts/verify/proofs/machine.ts";
import { readSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { SHIPPED_TABLES, type Tables } from "../../scripts/verify/proofs/table.ts";

/** The present state of a system. */
export class Replay {
  readonly #machine: Machine;
  readonly #tables: Tables;
  #state: Values;
  /** Steps that were taken, for messages. */
  readonly trail: string[] = [];

  constructor(system: System, tables: Tables = SHIPPED_TABLES) {
    this.#tables = tables;
    this.#machine = new Machine(readSystem(system), this.#tables);
    this.#state = this.#machine.initial;
  }

  can(step: string, choice: Values = {}): boolean {
    return this.#machine.isPossible(this.#state, { step, choice });
  }

  /** Takes a step, which must be possible, and after which every claim must hold. */
  take(step: string, choice: Values = {}): void {
    this.trail.push(`${step}(${Object.values(choice)})`);
    assert(this.can(step, choice), `not possible: ${this.trail.slice(-12)}`);
    this.#state = this.#machine.after(this.#state, { step, choice });
    const broken = this.#machine.broken(this.#state);
    assert(broken === null, `${broken?.name} after ${this.trail.slice(-12)}`);
  }

  get(name: string): Value {
    return this.#state[name]!;
  }

  number(name: string): number {
    return this.get(name) as number;
  }

  /** An element of a variable that is an array. */
  at(name: string, index: Value): Value {
    return (this.get(name) as ArrayValue).select(index);
  }
}
