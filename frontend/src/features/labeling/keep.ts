/**
 * What must survive a closed tab, in IndexedDB: submits under way with their keys, and what is typed. Every write
 * commits by itself at once, so that it reaches the browser even when the page is gone in the next moment.
 */
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import type { Draft } from "@/api/types";
import type { DeskStore, KeptDesk, Lost, PendingSubmit } from "./desk";

/** What was typed for a photo, with enough to say what it was when the photo is no longer ours. */
export interface KeptDraft {
  assignment: number;
  task: number;
  caption: string;
  draft: Draft;
}

/** A submit with its place in the queue. */
interface Queued {
  entry: PendingSubmit;
  place: number;
}

let store: UseStore | undefined;
const open = () => (store ??= createStore("warevision-desk", "kept"));

/** Without room or in a private window nothing is kept: the server's draft remains. */
async function write(change: (objects: IDBObjectStore) => void): Promise<void> {
  try {
    await open()("readwrite", (objects) => {
      change(objects);
      const done = promisifyRequest(objects.transaction);
      objects.transaction.commit();
      return done;
    });
  } catch {
    // see above
  }
}

const within = (prefix: string) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

export class Keep implements DeskStore {
  private readonly drafts: string;
  private readonly queue: string;
  private readonly lost: string;

  constructor(user: number, project: number) {
    this.drafts = `draft.${user}.${project}.`;
    this.queue = `queue.${user}.${project}.`;
    this.lost = `lost.${user}.${project}`;
    open();
  }

  async load(): Promise<KeptDesk> {
    try {
      return await open()("readonly", async (objects) => {
        const [pending, lost, drafts] = await Promise.all([
          promisifyRequest(objects.getAll(within(this.queue)) as IDBRequest<Queued[]>),
          promisifyRequest(objects.get(this.lost) as IDBRequest<Lost[] | undefined>),
          promisifyRequest(objects.getAll(within(this.drafts)) as IDBRequest<KeptDraft[]>),
        ]);
        return { pending: pending.sort((a, b) => a.place - b.place).map(({ entry }) => entry), lost: lost ?? [], drafts };
      });
    } catch {
      return { pending: [], lost: [], drafts: [] };
    }
  }

  /** Submits replace the drafts that they were made of, in one transaction. */
  put(entries: readonly PendingSubmit[]): Promise<void> {
    return write((objects) => {
      entries.forEach((entry, n) => {
        const queued: Queued = { entry, place: Date.now() + n / 1000 };
        objects.put(queued, this.queue + entry.key);
        objects.delete(`${this.drafts}${entry.assignment.id}`);
      });
    });
  }

  drop(key: string): Promise<void> {
    return write((objects) => objects.delete(this.queue + key));
  }

  saveLost(lost: readonly Lost[]): Promise<void> {
    return write((objects) => (lost.length ? objects.put(lost, this.lost) : objects.delete(this.lost)));
  }

  putDraft(draft: KeptDraft): Promise<void> {
    return write((objects) => objects.put(draft, `${this.drafts}${draft.assignment}`));
  }

  dropDraft(assignment: number): Promise<void> {
    return write((objects) => objects.delete(`${this.drafts}${assignment}`));
  }
}
