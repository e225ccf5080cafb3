// The caption language: parse, format, normalise and compare captions by a schema that is data.
// Twin of inference/captions; inference/captions/conformance.json holds for both.

export { type Box, type Pair, iou, lowestIou, matchBoxes } from './boxes'
export {
  type Agreement,
  type AgreementOptions,
  type CategoryParent,
  agreement,
  compare,
} from './compare'
export { type Condition, GRADES, conditionText, gradesApart, parseCondition } from './condition'
export { CaptionError, type FieldError, type Language, isFieldError, message } from './errors'
export { formatCaption } from './format'
export { type Finding, type World, RULES, findingMessage, findings } from './language'
export { type ParseResult, parse } from './parse'
export { type Quantity, parseQuantity, quantityAmounts, quantityText } from './quantity'
export { DEFAULT_SCHEMA, type Field, type Kind, type Schema } from './schema'
export { type Spec, parseSpec, specTotal } from './spec'
export { fold, similarity } from './text'
export {
  MAX_LENGTH,
  type Unknown,
  type Value,
  type Values,
  isUnknown,
  normaliseValue,
  parseUnknown,
  validate,
} from './values'
