import "@/styles/mantine.css";
import "@/styles/tokens.css";
import { createRoot } from "react-dom/client";
import { App } from "@/app/App";
import { queryClient } from "@/app/queryClient";
import { sessionQuery } from "@/features/session/session";
import { fromServer, startI18n, type Language } from "@/lib/i18n";

function browserLanguage(): Language {
  const first = navigator.language.toLowerCase();
  return first.startsWith("ja") ? "ja" : first.startsWith("en") ? "en" : "zh";
}

async function start() {
  // One round trip decides language, theme and where to go; a silent server is told by the page itself.
  const session = await queryClient.query({ ...sessionQuery, staleTime: "static" }).catch(() => null);
  await startI18n(session?.user ? fromServer(session.user.language) : browserLanguage());
  const root = document.getElementById("root");
  if (root) createRoot(root).render(<App theme={session?.user?.theme} />);
}

void start();
