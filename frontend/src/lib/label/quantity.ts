/** Quantities as people give them in a hurry. */
import { isFieldError, parseQuantity, quantityText } from "@/lib/captions";

/** A bare number with the unit that the catalog counts in: 3 → 3盒. Anything else stays as it was typed. */
export function withUnit(value: string, unit: string): string {
  const quantity = parseQuantity(value);
  const [only, ...more] = isFieldError(quantity) ? [] : quantity;
  if (!only || more.length > 0 || only.unit !== "" || unit === "") return value;
  const counted = quantityText([{ number: only.number, unit }]);
  return isFieldError(parseQuantity(counted)) ? value : counted;
}

/** The number of a simple quantity such as 3盒; null for none, or for one of several parts. */
export function countOf(value: string): number | null {
  const quantity = parseQuantity(value);
  return isFieldError(quantity) || quantity.length !== 1 ? null : Number(quantity[0]?.number);
}

/** A quantity with its unit exchanged, where it was the catalog's unit of another SKU. */
export function recount(value: string, from: string, to: string): string {
  const quantity = parseQuantity(value);
  const [only, ...more] = isFieldError(quantity) ? [] : quantity;
  if (!only || more.length > 0 || only.unit !== from || !from || !to) return value;
  return withUnit(only.number, to);
}
