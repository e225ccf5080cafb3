/** Where to go after signing in: only ever a path on this very site. */
export function localPath(next: string | undefined, fallback = "/"): string {
  if (!next?.startsWith("/")) return fallback;
  // "//host", "/\host" and control characters are read as another host by browsers
  if (/^\/[\\/]/.test(next) || next.includes("\\") || Array.from(next).some((one) => one < " ")) return fallback;
  try {
    const url = new URL(next, "http://local.invalid");
    return url.origin === "http://local.invalid" ? url.pathname + url.search + url.hash : fallback;
  } catch {
    return fallback;
  }
}
