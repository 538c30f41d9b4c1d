/** Rules of what is inside of a payload (4.9). */
import { rule } from "./rule.ts";

const BIRTHS = "NBIRTH DBIRTH";
const DATA = "NDATA DDATA";
const COMMANDS = "NCMD DCMD";
const ALL = `${BIRTHS} ${DATA} ${COMMANDS}`;

/** Metrics. */
export const METRIC_RULES = {
  timestampUtc: rule("info", {
    ids: "payloads-timestamp-in-UTC",
    on: `${ALL} DDEATH`,
    says: "the timestamp of a payload is the time of its sending, in UTC",
  }),
  metricTimestampUtc: rule("info", {
    ids: "payloads-metric-timestamp-in-UTC",
    on: `${BIRTHS} ${DATA}`,
    says: "the timestamp of a metric that is not historical is in UTC",
  }),
  metricTimestamp: rule("warn", {
    ids: "payloads-name-birth-data-requirement",
    on: `${BIRTHS} ${DATA}`,
    says: "each metric of births and data has a timestamp",
  }),
  metricName: rule("error", {
    ids: "payloads-name-requirement",
    on: ALL,
    says: "a metric without an alias has a name",
    strict: "drop",
  }),
  aliasNamed: rule("error", {
    ids: "payloads-alias-birth-requirement",
    on: BIRTHS,
    says: "a metric of a birth that has an alias has its name, too",
    strict: "drop",
  }),
  aliasUnique: rule("error", {
    ids: "payloads-alias-uniqueness",
    on: BIRTHS,
    says: "an alias stands for one metric of the Edge Node and all its Devices",
    strict: "drop",
  }),
  aliasOnly: rule("info", {
    ids: "payloads-alias-data-cmd-requirement",
    on: `${DATA} ${COMMANDS}`,
    says: "data and commands name an aliased metric by its alias alone",
  }),
  dataTypeMissing: rule("error", {
    ids: "payloads-metric-datatype-req",
    on: BIRTHS,
    says: "each metric of a birth has a datatype",
    strict: "drop",
  }),
  dataTypeKnown: rule("error", {
    ids: "payloads-metric-datatype-value-type payloads-metric-datatype-value",
    on: ALL,
    says: "the datatype of a metric is one that a metric can have",
    strict: "drop",
  }),
  valueField: rule("error", {
    ids: "payloads-metric-datatype-value",
    on: `${BIRTHS} ${DATA}`,
    says: "the value of a metric stands in the field of its datatype",
    strict: "drop",
  }),
  uint32Long: rule("warn", {
    ids: "payloads-metric-datatype-value",
    on: `${BIRTHS} ${DATA}`,
    says: "a UInt32 stands in int_value, not in long_value",
  }),
  dataTypeSuperfluous: rule("info", {
    ids: "payloads-metric-datatype-not-req",
    on: `${DATA} ${COMMANDS}`,
    says: "data and commands leave the datatype out",
  }),
  propertySetSize: rule("error", {
    ids: "payloads-propertyset-keys-array-size payloads-propertyset-values-array-size",
    on: ALL,
    says: "a PropertySet has as many keys as values",
    strict: "drop",
  }),
  propertyType: rule("warn", {
    ids: "payloads-metric-propertyvalue-type-req",
    on: BIRTHS,
    says: "each property of a birth has a type",
  }),
  propertyTypeKnown: rule("warn", {
    ids: "payloads-metric-propertyvalue-type-type payloads-metric-propertyvalue-type-value",
    on: ALL,
    says: "the type of a property is a basic one or that of a PropertySet",
  }),
  qualityType: rule("warn", {
    ids: "payloads-propertyset-quality-value-type",
    on: ALL,
    says: "the property Quality is an Int32",
  }),
  qualityValue: rule("warn", {
    ids: "payloads-propertyset-quality-value-value",
    on: ALL,
    says: "the property Quality is 0, 192 or 500",
  }),
} as const;

/** DataSets and Templates. */
export const STRUCTURE_RULES = {
  dataSetColumns: rule("error", {
    ids: "payloads-dataset-column-size payloads-dataset-column-num-headers",
    on: ALL,
    says: "a DataSet has as many column names as columns, and rows as wide",
    strict: "drop",
  }),
  dataSetTypes: rule("error", {
    ids: `payloads-dataset-types-num payloads-dataset-types-def
      payloads-dataset-parameter-type-req`,
    on: ALL,
    says: "a DataSet has a type for each of its columns",
    strict: "drop",
  }),
  dataSetTypeKnown: rule("error", {
    ids: "payloads-dataset-types-type payloads-dataset-types-value",
    on: ALL,
    says: "the types of a DataSet are basic ones",
    strict: "drop",
  }),
  dataSetCells: rule("warn", {
    ids: "payloads-template-dataset-value",
    on: ALL,
    says: "a cell of a DataSet is a number, a Boolean or a string",
  }),
  definitionPlace: rule("warn", {
    ids: "payloads-template-definition-nbirth-only",
    on: ALL,
    says: "definitions of Templates stand in NBIRTH only",
  }),
  definitionFlag: rule("warn", {
    ids: `payloads-template-definition-is-definition payloads-template-is-definition
      payloads-template-is-definition-definition`,
    on: ALL,
    says: "a Template without a template_ref is a definition and says so",
  }),
  definitionRef: rule("warn", {
    ids: "payloads-template-definition-ref payloads-template-ref-definition",
    on: ALL,
    says: "a definition has no template_ref",
  }),
  definitionMissing: rule("warn", {
    ids: `topics-nbirth-templates payloads-template-definition-nbirth
      payloads-template-instance-ref payloads-template-ref-instance`,
    on: `${BIRTHS} ${DATA}`,
    says: "the template_ref of an instance names a definition of the NBIRTH",
  }),
  definitionMembers: rule("warn", {
    ids: "payloads-template-definition-members payloads-template-instance-members",
    on: `${BIRTHS} ${DATA}`,
    says: "the members of an instance are members of its definition",
  }),
  instanceComplete: rule("warn", {
    ids: "payloads-template-instance-members-birth",
    on: BIRTHS,
    says: "an instance in a birth has all members of its definition",
  }),
  definitionParameters: rule("warn", {
    ids: "payloads-template-definition-parameters payloads-template-instance-parameters",
    on: `${BIRTHS} ${DATA}`,
    says: "the parameters of an instance are parameters of its definition",
  }),
  instanceFlag: rule("warn", {
    ids: "payloads-template-instance-is-definition payloads-template-is-definition-instance",
    on: `${BIRTHS} ${DATA}`,
    says: "an instance is not marked as a definition",
  }),
  templateVersion: rule("warn", {
    ids: "payloads-template-version",
    on: ALL,
    says: "the version of a Template is UTF-8",
  }),
  parameterName: rule("warn", {
    ids: `payloads-template-parameter-name-required payloads-template-parameter-name-type`,
    on: BIRTHS,
    says: "each parameter of a Template has a name",
  }),
  parameterType: rule("warn", {
    ids: `payloads-template-parameter-value-type payloads-template-parameter-type-value
      payloads-template-parameter-type-req`,
    on: BIRTHS,
    says: "each parameter of a Template has a basic type",
  }),
  parameterValue: rule("warn", {
    ids: "payloads-template-parameter-value",
    on: BIRTHS,
    says: "the value of a parameter is a number, a Boolean or a string",
  }),
} as const;
