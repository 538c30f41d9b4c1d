/** The tests that have to notice: collected as `Deno.test` would, and run one at a time by number. */

/** A test that was declared. */
interface CollectedTest {
  readonly name: string;
  readonly run: (context: TestSteps) => void | Promise<void>;
}

/** What a test is given: steps run at once. */
interface TestSteps {
  step(
    name: string | { name: string; fn: (context: TestSteps) => unknown },
    run?: (context: TestSteps) => unknown,
  ): Promise<boolean>;
}

type Declaration = { name: string; ignore?: boolean; fn: CollectedTest["run"] };

const STEPS: TestSteps = {
  async step(name, run) {
    await (typeof name === "string" ? run! : name.fn)(STEPS);
    return true;
  },
};

/** All tests of the given modules. */
export class Suite {
  readonly #tests: CollectedTest[] = [];

  /** Imports the modules; what they declare is kept, not run. */
  static async load(modules: readonly string[]): Promise<Suite> {
    const suite = new Suite();
    Object.defineProperty(Deno, "test", {
      value: (first: string | Declaration, second?: CollectedTest["run"]): void => {
        const test = typeof first === "string" ? { name: first, fn: second! } : first;
        if (test.ignore !== true) suite.#tests.push({ name: test.name, run: test.fn });
      },
    });
    for (const module of modules) await import(module);
    return suite;
  }

  get size(): number {
    return this.#tests.length;
  }

  /** The name of a test. */
  name(number: number): string {
    return this.#tests[number]!.name;
  }

  /** Runs a test; gives whether it passed. */
  async passes(number: number): Promise<boolean> {
    try {
      await this.#tests[number]!.run(STEPS);
      return true;
    } catch {
      return false;
    }
  }
}
