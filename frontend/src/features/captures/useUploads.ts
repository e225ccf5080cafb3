import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { left } from "./keptFiles";
import { UploadQueue, type UploadStatus } from "./upload";

const REFRESH_MS = 2_000;
const queues = new Map<number, UploadQueue>();

/** One queue a site, which goes on while other pages are open. */
function queueOf(site: number, client: QueryClient): UploadQueue {
  let queue = queues.get(site);
  if (!queue) {
    let due: ReturnType<typeof setTimeout> | undefined;
    queue = new UploadQueue(() => {
      due ??= setTimeout(() => {
        due = undefined;
        for (const queryKey of [["captures", site], ["quarantine", site], ["projects"]]) void client.invalidateQueries({ queryKey });
      }, REFRESH_MS);
    });
    queues.set(site, queue);
  }
  return queue;
}

export function useUploads(site: number): [UploadQueue, UploadStatus] {
  const queue = queueOf(site, useQueryClient());
  const status = useSyncExternalStore(queue.subscribe, queue.read);
  useEffect(() => {
    void left(site).then((files) => {
      if (files.length > 0) queue.restore(files);
    });
  }, [queue, site]);
  return [queue, status];
}
