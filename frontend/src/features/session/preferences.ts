import { useMantineColorScheme } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Session, User } from "@/api/types";
import { fromServer, switchLanguage } from "@/lib/i18n";
import { sessionQuery } from "./session";

export type Preferences = Partial<Pick<User, "language" | "theme" | "shortcuts">> & { columns?: Record<string, string[] | null> };

function withColumns(before: User["columns"], chosen: Record<string, string[] | null>): User["columns"] {
  const all: Record<string, string[] | null> = { ...before, ...chosen };
  return Object.fromEntries(Object.entries(all).flatMap(([list, keys]) => (keys ? [[list, keys]] : [])));
}

/** Takes effect at once and is kept on the account. */
export function useSavePreferences() {
  const client = useQueryClient();
  const { setColorScheme } = useMantineColorScheme();
  return useMutation({
    mutationFn: (preferences: Preferences) => call(api.PATCH("/api/v1/me", { body: preferences })),
    onMutate: async (preferences) => {
      if (preferences.columns) {
        const chosen = preferences.columns;
        client.setQueryData<Session>(sessionQuery.queryKey, (session) => session?.user && { ...session, user: { ...session.user, columns: withColumns(session.user.columns, chosen) } });
      }
      if (preferences.theme) setColorScheme(preferences.theme);
      if (preferences.language) await switchLanguage(fromServer(preferences.language));
    },
    onSuccess: (user) => client.setQueryData<Session>(sessionQuery.queryKey, (session) => session && { ...session, user }),
  });
}
