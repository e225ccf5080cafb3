/** A key that nobody else has; also where the page is served without TLS and `randomUUID` is absent. */
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
