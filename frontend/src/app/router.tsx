import { createRootRoute, createRoute, createRouter, lazyRouteComponent, notFound, redirect } from "@tanstack/react-router";
import { sessionQuery } from "@/features/session/session";
import { queryClient } from "./queryClient";
import { NotFound, RouteError, RoutePending } from "./fallbacks";
import { Shell } from "./Shell";

function integer(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw notFound();
  return Number(value);
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

type Texts<K extends string> = Partial<Record<K, string>>;

const texts = <K extends string>(search: Record<string, unknown>, ...keys: K[]) => Object.fromEntries(keys.map((key) => [key, text(search[key])])) as Texts<K>;

interface CapturesSearch extends Texts<"tab" | "code" | "search" | "cam" | "state" | "sort" | "cols"> {
  group?: number;
  project?: number;
  capture?: number;
  duplicate?: boolean;
}
type TasksSearch = Texts<"state" | "search" | "sku" | "priority" | "source" | "sort" | "cols"> & { batch?: number };
type ReviewSearch = Texts<"severity" | "field" | "pair" | "sort" | "cols"> & { reopened?: boolean };

const flag = (value: unknown): true | undefined => (value === true ? true : undefined);

/** The queue that a dispute belongs to stands in its address too, so that the next one is of the same. */
const reviewSearch = (search: Record<string, unknown>): ReviewSearch => ({ ...texts(search, "severity", "field", "pair", "sort", "cols"), reopened: flag(search.reopened) });

const rootRoute = createRootRoute({ notFoundComponent: NotFound, errorComponent: RouteError });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("@/routes/signIn")),
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queryClient.query({ ...sessionQuery, staleTime: "static" });
    if (!session.authenticated) throw redirect({ to: "/sign-in", search: { next: location.href } });
  },
});

const homeRoute = createRoute({ getParentRoute: () => shellRoute, path: "/", component: lazyRouteComponent(() => import("@/routes/home")) });

const feedbackRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/feedback",
  validateSearch: (search: Record<string, unknown>): Texts<"outcome" | "cols"> & { unread?: boolean; open?: number } => ({
    ...texts(search, "outcome", "cols"),
    unread: flag(search.unread),
    open: number(search.open),
  }),
  component: lazyRouteComponent(() => import("@/routes/feedback")),
});

const projectRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/p/$projectId",
  params: {
    parse: (raw: { projectId: string }) => ({ projectId: integer(raw.projectId) }),
    stringify: (params: { projectId: number }) => ({ projectId: String(params.projectId) }),
  },
});

const siteRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/s/$siteId",
  params: {
    parse: (raw: { siteId: string }) => ({ siteId: integer(raw.siteId) }),
    stringify: (params: { siteId: number }) => ({ siteId: String(params.siteId) }),
  },
});

const taskParams = {
  parse: (raw: { taskId: string }) => ({ taskId: integer(raw.taskId) }),
  stringify: (params: { taskId: number }) => ({ taskId: String(params.taskId) }),
};

const labelRoute = createRoute({ getParentRoute: () => projectRoute, path: "label", component: lazyRouteComponent(() => import("@/routes/projectLabel")) });
const reviewRoute = createRoute({ getParentRoute: () => projectRoute, path: "review", validateSearch: reviewSearch, component: lazyRouteComponent(() => import("@/routes/projectReview")) });
const reviewTaskRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "review/$taskId",
  params: taskParams,
  validateSearch: reviewSearch,
  component: lazyRouteComponent(() => import("@/routes/projectReviewTask")),
});
const trivialRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "review/trivial",
  validateSearch: (search: Record<string, unknown>) => texts(search, "kind"),
  component: lazyRouteComponent(() => import("@/routes/projectTrivial")),
});
const tasksRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "tasks",
  validateSearch: (search: Record<string, unknown>): TasksSearch => ({
    ...texts(search, "state", "search", "sku", "priority", "source", "sort", "cols"),
    batch: number(search.batch),
  }),
  component: lazyRouteComponent(() => import("@/routes/projectTasks")),
});
const taskRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "tasks/$taskId",
  params: taskParams,
  component: lazyRouteComponent(() => import("@/routes/projectTask")),
});
const qualityRoute = createRoute({ getParentRoute: () => projectRoute, path: "quality", component: lazyRouteComponent(() => import("@/routes/projectQuality")) });

const spotChecksRoute = createRoute({ getParentRoute: () => projectRoute, path: "spot-checks", component: lazyRouteComponent(() => import("@/routes/projectSpotChecks")) });

const personRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "quality/$userId",
  params: {
    parse: (raw: { userId: string }) => ({ userId: integer(raw.userId) }),
    stringify: (params: { userId: number }) => ({ userId: String(params.userId) }),
  },
  component: lazyRouteComponent(() => import("@/routes/projectPerson")),
});
const mineRoute = createRoute({ getParentRoute: () => projectRoute, path: "mine", component: lazyRouteComponent(() => import("@/routes/projectMine")) });

const capturesRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "captures",
  validateSearch: (search: Record<string, unknown>): CapturesSearch => ({
    ...texts(search, "tab", "code", "search", "cam", "state", "sort", "cols"),
    group: number(search.group),
    project: number(search.project),
    capture: number(search.capture),
    duplicate: typeof search.duplicate === "boolean" ? search.duplicate : undefined,
  }),
  component: lazyRouteComponent(() => import("@/routes/siteCaptures")),
});
const catalogRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "catalog",
  validateSearch: (search: Record<string, unknown>): Texts<"search" | "cols"> & { category?: number; sku?: number } => ({
    ...texts(search, "search", "cols"),
    category: number(search.category),
    sku: number(search.sku),
  }),
  component: lazyRouteComponent(() => import("@/routes/siteCatalog")),
});
const adminRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "admin",
  validateSearch: (search: Record<string, unknown>) => texts(search, "tab", "kind", "state"),
  component: lazyRouteComponent(() => import("@/routes/siteAdmin")),
});
const adminProjectRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "admin/projects/$adminProjectId",
  params: {
    parse: (raw: { adminProjectId: string }) => ({ adminProjectId: integer(raw.adminProjectId) }),
    stringify: (params: { adminProjectId: number }) => ({ adminProjectId: String(params.adminProjectId) }),
  },
  validateSearch: (search: Record<string, unknown>): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("@/routes/siteProject")),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    homeRoute,
    feedbackRoute,
    projectRoute.addChildren([labelRoute, reviewRoute, trivialRoute, reviewTaskRoute, tasksRoute, taskRoute, qualityRoute, spotChecksRoute, personRoute, mineRoute]),
    siteRoute.addChildren([capturesRoute, catalogRoute, adminRoute, adminProjectRoute]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultPendingComponent: RoutePending,
  defaultErrorComponent: RouteError,
  defaultNotFoundComponent: NotFound,
  defaultPendingMs: 200,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
