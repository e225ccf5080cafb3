/** Files that still have to be uploaded, kept in IndexedDB so that a reload or a crash does not lose them. */
import { createStore, delMany, setMany, values, type UseStore } from "idb-keyval";
import type { Destination } from "./upload";

export interface KeptFile {
  id: string;
  name: string;
  file: File;
  to: Destination;
}

const AT_ONCE = 50;
const MAX_KEPT_BYTES = 4_000_000_000;
let store: UseStore | undefined;
let size = 0;
const open = () => (store ??= createStore("warevision-upload", "files"));

/** Keeps files as far as the browser lets us; the ids of those that are kept. */
export async function keep(files: readonly KeptFile[]): Promise<string[]> {
  const kept: string[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE);
    size += some.reduce((sum, { file }) => sum + file.size, 0);
    if (size > MAX_KEPT_BYTES) break;
    try {
      await setMany(
        some.map((file) => [file.id, file]),
        open(),
      );
      kept.push(...some.map(({ id }) => id));
    } catch {
      break; // no room, or a private window
    }
  }
  return kept;
}

export async function forget(ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  try {
    await delMany([...ids], open());
  } catch {
    // nothing was kept then
  }
}

/** What an earlier page left of a site's uploads. Only one tab goes on with it. */
export async function left(site: number): Promise<KeptFile[]> {
  try {
    if (!(await alone())) return [];
    return (await values<KeptFile>(open())).filter(({ to }) => to.site === site);
  } catch {
    return [];
  }
}

/** Whether this is the first tab here: it holds a lock as long as it lives. */
let first: Promise<boolean> | undefined;
function alone(): Promise<boolean> {
  first ??= new Promise((resolve) => {
    const locks = navigator.locks as LockManager | undefined;
    if (!locks) {
      resolve(true);
      return;
    }
    void locks.request("warevision-upload", { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise<never>(() => undefined) : undefined;
    });
  });
  return first;
}
