import { useEffect, useState, useSyncExternalStore } from "react";
import { OneTab, type Tab } from "@/lib/oneTab";

/** Whether this tab is the one that labels in the project. */
export function useTab(userId: number, projectId: number): { tab: Tab; claim: OneTab } {
  const [claim] = useState(() => new OneTab(`wv.desk.${userId}.${projectId}`));
  useEffect(() => {
    claim.claim();
    return () => claim.close();
  }, [claim]);
  return { tab: useSyncExternalStore(claim.subscribe, claim.snapshot), claim };
}
