import { MantineProvider } from "@mantine/core";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { vi } from "vitest";
import { startI18n } from "@/lib/i18n";

/** For tests: English words, where there is no document. */
export async function inEnglish() {
  vi.stubGlobal("document", { documentElement: { lang: "" } });
  await startI18n("en");
  vi.unstubAllGlobals();
}

/** For tests: a component as it is first painted. */
export const html = (page: ReactElement) => renderToStaticMarkup(<MantineProvider>{page}</MantineProvider>);
