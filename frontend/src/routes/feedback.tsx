import { getRouteApi } from "@tanstack/react-router";
import { OUTCOMES } from "@/features/feedback/feedback";
import { FeedbackPage } from "@/features/feedback/FeedbackPage";
import { useProjects } from "@/features/projects/projects";
import { among } from "@/lib/among";

const route = getRouteApi("/shell/feedback");

export default function FeedbackRoute() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const projects = useProjects().data ?? [];
  return <FeedbackPage projects={projects} view={{ ...search, outcome: among(OUTCOMES, search.outcome) }} onView={(next) => void navigate({ search: next })} />;
}
