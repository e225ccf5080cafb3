export interface Page<T> {
  next: string | null;
  previous: string | null;
  results: T[];
}

/** The cursor inside a `next` address; undefined ends an infinite query. */
export function nextCursor(page: { next: string | null }): string | undefined {
  if (!page.next) return undefined;
  return new URL(page.next, "http://localhost").searchParams.get("cursor") ?? undefined;
}

export function flatten<T>(data: { pages: Page<T>[] } | undefined): T[] {
  return data?.pages.flatMap((page) => page.results) ?? [];
}
