import { useTranslation } from "react-i18next";
import type { Feedback } from "@/api/types";

const TONE: Record<Feedback["outcome"], string> = { upheld: "agree", corrected: "dispute", sent_back: "dispute", rejected: "" };

export function OutcomeTag({ outcome }: { outcome: Feedback["outcome"] }) {
  const { t } = useTranslation();
  return <span className={`tag ${TONE[outcome]}`}>{t(`feedback.outcome.${outcome}`)}</span>;
}
