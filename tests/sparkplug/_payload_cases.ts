/** Cases of what is inside of payloads. */
import { type Field, message, metric, type MetricParts } from "./_encode.ts";
import type { RuleCase, RuleCases } from "./_case.ts";
import { ready, sent } from "./_flow_cases.ts";
import type { Plant } from "./_plant.ts";

/** An NBIRTH with one metric more, wrong and right. */
function inBirth(wrong: MetricParts, right: MetricParts): RuleCase {
  return sent("nbirth", (p) => birthWith(p, wrong), (p) => birthWith(p, right));
}

function birthWith(p: Plant, parts: MetricParts): { metrics: Uint8Array[] } {
  const more = metric({ name: "more", timestamp: p.nowMs, type: 3, ...parts });
  return { metrics: [...p.usual(), ...p.rebirthMetric(), more] };
}

/** Properties: keys, then values as fields. */
function properties(
  keys: readonly string[],
  ...values: readonly (readonly Field[])[]
): MetricParts {
  const set = message(
    ...keys.map((key): Field => [1, key]),
    ...values.map((fields): Field => [2, message(...fields)]),
  );
  return { value: [10, 1], properties: set };
}

/** A table as a metric. */
function table(parts: {
  columns?: readonly string[];
  width?: number;
  types?: readonly number[];
  rows?: readonly (readonly Field[])[];
}): MetricParts {
  const { columns = ["a", "b"], width = 2, types = [3, 12] } = parts;
  const { rows = [[[1, 5], [6, "x"]]] } = parts;
  const set = message(
    [1, width],
    ...columns.map((name): Field => [2, name]),
    ...types.map((type): Field => [3, type]),
    ...rows.map((row): Field => [
      4,
      message(...row.map((cell): Field => [1, message(cell)])),
    ]),
  );
  return { type: 16, value: [17, set] };
}

interface TemplateParts {
  readonly version?: Uint8Array;
  readonly members?: readonly string[];
  readonly parameters?: readonly (readonly Field[])[];
  readonly ref?: string;
  readonly definition?: boolean;
}

function template(parts: TemplateParts): Uint8Array {
  const { version, members = ["x"], parameters = [], ref, definition } = parts;
  const fields: Field[] = version === undefined ? [] : [[1, version]];
  for (const name of members) fields.push([2, metric({ name, type: 3, value: [10, 0] })]);
  for (const parameter of parameters) fields.push([3, message(...parameter)]);
  if (ref !== undefined) fields.push([4, ref]);
  if (definition !== undefined) fields.push([5, definition]);
  return message(...fields);
}

const PARAMETER: readonly Field[] = [[1, "limit"], [2, 3], [3, 5]];
const DEFINITION: TemplateParts = {
  definition: true,
  members: ["x", "y"],
  parameters: [PARAMETER],
};

/** An NBIRTH with the definition `Motor` and an instance of it. */
function withMotor(p: Plant, instance: TemplateParts, definition = DEFINITION) {
  const timestamp = p.nowMs;
  const motor = metric({ name: "Motor", timestamp, type: 19, value: [18, template(definition)] });
  const usual = { definition: false, ref: "Motor", members: ["x", "y"] };
  const value: Field = [18, template({ ...usual, ...instance })];
  const one = metric({ name: "Motor 1", timestamp, type: 19, value });
  return { metrics: [...p.usual(), ...p.rebirthMetric(), motor, one] };
}

function motor(wrong: TemplateParts, right: TemplateParts = {}): RuleCase {
  return sent("nbirth", (p) => withMotor(p, wrong), (p) => withMotor(p, right));
}

function definition(wrong: TemplateParts, right: TemplateParts = DEFINITION): RuleCase {
  return sent("nbirth", (p) => withMotor(p, {}, wrong), (p) => withMotor(p, {}, right));
}

export const METRIC_CASES: RuleCases = {
  timestampUtc: sent(
    "ndata",
    (p) => ({ timestamp: p.nowMs - 3_600_000 }),
    (p) => ({ timestamp: p.nowMs - 30_000 }),
  ),
  metricTimestampUtc: sent("ndata", (p) => ({
    metrics: [{ alias: 1, timestamp: Math.floor(p.nowMs / 1000), value: [10, 1] }],
  }), (p) => ({
    metrics: [{ alias: 1, timestamp: 5, historical: true, value: [10, 1] }, p.temperature()],
  })),
  metricTimestamp: sent("ndata", { metrics: [{ alias: 1, value: [10, 1] }] }),
  metricName: sent("ndata", (p) => ({ metrics: [{ timestamp: p.nowMs, value: [10, 1] }] })),
  aliasNamed: sent("nbirth", (p) => ({
    metrics: [
      ...p.rebirthMetric(),
      metric({ alias: 5, timestamp: p.nowMs, type: 3, value: [10, 1] }),
    ],
  })),
  aliasUnique: {
    breach: (p) => p.bornNode().dbirth({ metrics: p.usual(1) }),
    correct: (p) => {
      p.bornDevice().nbirth();
      p.dbirth();
      p.dbirth();
    },
  },
  aliasOnly: sent("ddata", (p) => ({
    metrics: [{ name: "Count", alias: 2, timestamp: p.nowMs, value: [10, 1] }],
  })),
  dataTypeMissing: {
    breach: (p) => {
      const untyped = metric({ name: "more", timestamp: p.nowMs, value: [10, 1] });
      ready(p, "dbirth").dbirth({ metrics: [untyped] });
    },
    correct: (p) => p.bornDevice(),
  },
  dataTypeKnown: inBirth({ type: 35, value: [10, 1] }, { type: 22, value: [16, "ab"] }),
  valueField: inBirth({ type: 12, value: [10, 1] }, { type: 12, value: [15, "1"] }),
  uint32Long: inBirth({ type: 7, value: [11, 1] }, { type: 7, value: [10, 1] }),
  dataTypeSuperfluous: sent("ndata", (p) => ({
    metrics: [{ alias: 1, timestamp: p.nowMs, type: 7, value: [10, 1] }],
  })),
  propertySetSize: inBirth(
    properties(["a", "b"], [[1, 3], [3, 1]]),
    properties(["a"], [[1, 3], [3, 1]]),
  ),
  propertyType: inBirth(properties(["a"], [[3, 1]]), properties(["a"], [[1, 3], [3, 1]])),
  propertyTypeKnown: inBirth(
    properties(["a"], [[1, 16], [3, 1]]),
    properties(["a"], [[1, 20], [9, message()]]),
  ),
  qualityType: inBirth(
    properties(["Quality"], [[1, 4], [3, 192]]),
    properties(["Quality"], [[1, 3], [3, 192]]),
  ),
  qualityValue: inBirth(
    properties(["Quality"], [[1, 3], [3, 191]]),
    properties(["Quality"], [[1, 3], [3, 500]]),
  ),
};

export const STRUCTURE_CASES: RuleCases = {
  dataSetColumns: inBirth(table({ width: 3 }), table({})),
  dataSetTypes: inBirth(table({ types: [3] }), table({})),
  dataSetTypeKnown: inBirth(table({ types: [3, 16] }), table({ types: [3, 14] })),
  dataSetCells: inBirth(
    table({ rows: [[[1, 5], [7, ""]]] }),
    table({ rows: [[[1, 5], [6, "x"]]] }),
  ),
  definitionPlace: {
    breach: (p) => {
      const value: Field = [18, template(DEFINITION)];
      const metrics = [{ name: "Motor", timestamp: p.nowMs, type: 19, value }];
      ready(p, "dbirth").dbirth({ metrics });
    },
    correct: (p) => {
      p.join();
      p.nbirth(withMotor(p, {}));
    },
  },
  definitionFlag: definition({ ...DEFINITION, definition: false }),
  definitionRef: definition({ ...DEFINITION, ref: "Base" }),
  definitionMissing: motor({ ref: "Pump" }),
  definitionMembers: motor({ members: ["x", "y", "z"] }),
  instanceComplete: {
    breach: (p) => {
      p.join();
      p.nbirth(withMotor(p, { members: ["x"] }));
    },
    correct: (p) => {
      p.join();
      p.nbirth(withMotor(p, {}));
      // Data may hold a part of the members.
      const value: Field = [18, template({ definition: false, ref: "Motor", members: ["x"] })];
      p.ndata({ metrics: [{ name: "Motor 1", timestamp: p.nowMs, value }] });
    },
  },
  definitionParameters: motor({ parameters: [[[1, "other"], [2, 3], [3, 1]]] }, {
    parameters: [PARAMETER],
  }),
  instanceFlag: motor({ definition: true }),
  templateVersion: motor(
    { version: Uint8Array.of(0xff, 0xfe) },
    { version: new TextEncoder().encode("1.0 ü") },
  ),
  parameterName: motor({ parameters: [[[2, 3], [3, 1]]] }, { parameters: [PARAMETER] }),
  parameterType: motor({ parameters: [[[1, "limit"], [2, 17], [3, 1]]] }, {
    parameters: [PARAMETER],
  }),
  // The default value of a parameter is optional.
  parameterValue: motor({ parameters: [[[1, "limit"], [2, 3], [9, ""]]] }, {
    parameters: [[[1, "limit"], [2, 3]]],
  }),
};
