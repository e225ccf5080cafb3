import { api, call } from "@/api/client";
import type { Assignment, Lookalikes } from "@/api/types";
import type { DeskApi } from "./desk";

/** Decoded pictures of the photo beside, held so that the switch paints at once. */
const warmed = new Map<number, HTMLImageElement[]>();

function warm(assignment: Assignment): void {
  const pictures = assignment.captures.map((capture) => {
    const picture = new Image();
    picture.src = capture.images.display;
    void picture.decode().catch(() => undefined);
    return picture;
  });
  warmed.set(assignment.id, pictures);
  for (const id of [...warmed.keys()].slice(0, -3)) warmed.delete(id);
}

export const deskApi = (projectId: number): DeskApi => ({
  async next(exclude) {
    const assignment: unknown = await call(api.POST("/api/v1/projects/{project_id}/next", { params: { path: { project_id: projectId } }, body: { exclude } }));
    return (assignment as Assignment | undefined) ?? null; // 204: nothing left
  },
  async submit(id, { attributes, ...answer }, key) {
    const body = { flag: "" as const, note: "", ...answer, attributes: { ...attributes } };
    const { annotation } = await call(
      api.POST("/api/v1/assignments/{assignment_id}/submit", { params: { path: { assignment_id: id }, header: { "Idempotency-Key": key } }, body }),
    );
    return annotation;
  },
  skip: ({ id, token }, reason, detail) =>
    call(api.POST("/api/v1/assignments/{assignment_id}/skip", { params: { path: { assignment_id: id } }, body: { token, reason, detail } })),
  release: ({ id, token }) => call(api.POST("/api/v1/assignments/{assignment_id}/release", { params: { path: { assignment_id: id } }, body: { token }, keepalive: true })),
  async withdraw(id) {
    const { assignment } = await call(api.POST("/api/v1/annotations/{annotation_id}/withdraw", { params: { path: { annotation_id: id } } }));
    return assignment as Assignment;
  },
  async extend({ id, token }) {
    const { expires_at } = await call(api.POST("/api/v1/assignments/{assignment_id}/extend", { params: { path: { assignment_id: id } }, body: { token } }));
    return expires_at;
  },
  look: (id) => call(api.GET("/api/v1/assignments/{assignment_id}", { params: { path: { assignment_id: id } } })) as Promise<Assignment>,
  async takeLookalikes() {
    const grid: unknown = await call(api.POST("/api/v1/projects/{project_id}/lookalikes", { params: { path: { project_id: projectId } } }));
    return (grid as Lookalikes | undefined) ?? null; // 204: there are none
  },
  keepLookalikes: (grid) => call(api.POST("/api/v1/projects/{project_id}/lookalikes/keep", { params: { path: { project_id: projectId } }, body: { grid } })),
  giveBackLookalikes: (grid, keep, knocked_out) =>
    call(api.POST("/api/v1/projects/{project_id}/lookalikes/give-back", { params: { path: { project_id: projectId } }, body: { grid, keep, knocked_out }, keepalive: true })),
  warm,
});
