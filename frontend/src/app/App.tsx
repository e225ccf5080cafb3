import { MantineProvider, localStorageColorSchemeManager, type MantineColorSchemeManager } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { onProblem } from "@/api/client";
import type { User } from "@/api/types";
import { Toaster } from "@/components/toast";
import { sessionQuery } from "@/features/session/session";
import { queryClient } from "./queryClient";
import { router } from "./router";
import { themeSaying } from "./theme";

/** The account decides the theme; the browser only remembers it between pages. */
const schemeManager = (preferred: User["theme"] | undefined): MantineColorSchemeManager => {
  const local = localStorageColorSchemeManager();
  if (preferred) local.set(preferred);
  return local;
};

export function App({ theme: preferred }: { theme: User["theme"] | undefined }) {
  const { t } = useTranslation();
  const close = t("common.close");
  const theme = useMemo(() => themeSaying(close), [close]);
  const [manager] = useState(() => schemeManager(preferred));
  useEffect(
    () =>
      onProblem((problem) => {
        // the session ended while the page was open: sign in again and come back here
        if (problem.code !== "not_authenticated" || window.location.pathname === "/sign-in") return;
        queryClient.removeQueries({ queryKey: sessionQuery.queryKey });
        void router.navigate({ to: "/sign-in", search: { next: window.location.pathname + window.location.search } });
      }),
    [],
  );
  return (
    <MantineProvider theme={theme} colorSchemeManager={manager} defaultColorScheme={preferred ?? "auto"}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toaster />
      </QueryClientProvider>
    </MantineProvider>
  );
}
