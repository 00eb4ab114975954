/** Stands for options/number-forms.ts: in a page, options have names and no numbers. */

export type * from "../../../options/number-forms.js";

const none = (): undefined => undefined;

export {
  none as asInt,
  none as asLong,
  none as asBinary,
  none as asFlag,
  none as asLenientFlag,
  none as asOpposite,
  none as asNameType,
  none as asFilter,
  none as addAsProperty,
  none as asUnsignedId,
  none as asSignedId,
  none as asVerbose,
  none as asVerboser,
  none as setAsManualLastValue,
  none as setAsInt,
  none as setAsBinary,
  none as setAsFlag,
  none as setAsLenientFlag,
  none as setAsAnyFlag,
};
