/**
 * One tab at a time: the first that claims a name has it until it closes or another takes over; the others know
 * what it is doing. Web Locks tell who lives; where the page is served without TLS they are absent, and the tabs
 * ask each other by BroadcastChannel.
 */
export interface Whereabouts {
  text: string;
  since: number;
}

export type Tab = { kind: "asking" } | { kind: "mine" } | { kind: "elsewhere"; where: Whereabouts | null; taken: boolean };
type Message = { kind: "where" | "taken" | "gone" } | { kind: "here"; where: Whereabouts };

const ANSWER_MS = 300;

export class OneTab {
  private tab: Tab = { kind: "asking" };
  private readonly listeners = new Set<() => void>();
  private channel: BroadcastChannel | undefined;
  private waiting: AbortController | undefined;
  private letGo: (() => void) | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private where: Whereabouts = { text: "", since: Date.now() };

  constructor(
    private readonly name: string,
    /** null where there are none */
    private readonly locks: LockManager | null = (navigator as { locks?: LockManager }).locks ?? null,
  ) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };
  readonly snapshot = () => this.tab;

  private set(tab: Tab): void {
    if (this.closed) return;
    this.tab = tab;
    this.listeners.forEach((listener) => listener());
  }

  private say(message: Message): void {
    if (!this.closed) this.channel?.postMessage(message);
  }

  /** Asks for the name. */
  claim(): void {
    this.closed = false;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => this.hear(data);
    if (this.locks) void this.lock({ ifAvailable: true });
    else this.ask();
  }

  /** Takes it from whoever has it. */
  takeOver(): void {
    if (this.locks) {
      this.waiting?.abort();
      void this.lock({ steal: true });
    } else {
      this.say({ kind: "taken" });
      this.set({ kind: "mine" });
    }
  }

  /** Tells the others what this tab is doing. */
  announce(text: string): void {
    if (text === this.where.text) return;
    this.where = { text, since: Date.now() };
    if (this.tab.kind === "mine") this.say({ kind: "here", where: this.where });
  }

  close(): void {
    if (this.tab.kind === "mine" && !this.locks) this.say({ kind: "gone" });
    this.closed = true;
    clearTimeout(this.timer);
    this.waiting?.abort();
    this.letGo?.();
    this.channel?.close();
  }

  private async lock(options: LockOptions): Promise<void> {
    try {
      await this.locks?.request(this.name, options, (lock) => {
        if (this.closed) return undefined;
        if (!lock) {
          this.leave(false);
          return undefined;
        }
        this.set({ kind: "mine" });
        return new Promise<void>((resolve) => {
          this.letGo = resolve;
        });
      });
    } catch {
      // stolen by another tab; or our own waiting was called off
      if (!options.signal?.aborted) this.leave(true);
    }
  }

  /** Another tab has it: ask what it does, and be next when it closes. */
  private leave(taken: boolean): void {
    this.set({ kind: "elsewhere", where: null, taken });
    this.say({ kind: "where" });
    if (!this.locks || this.closed) return;
    this.waiting = new AbortController();
    void this.lock({ signal: this.waiting.signal });
  }

  private ask(): void {
    this.say({ kind: "where" });
    this.timer = setTimeout(() => {
      if (this.tab.kind === "asking") this.set({ kind: "mine" });
    }, ANSWER_MS);
  }

  private hear(message: Message): void {
    if (message.kind === "where") {
      if (this.tab.kind === "mine") this.say({ kind: "here", where: this.where });
    } else if (message.kind === "here") {
      if (this.tab.kind !== "mine") this.set({ kind: "elsewhere", where: message.where, taken: this.tab.kind === "elsewhere" && this.tab.taken });
    } else if (this.locks) return;
    else if (message.kind === "taken") this.set({ kind: "elsewhere", where: null, taken: true });
    else if (this.tab.kind === "elsewhere") {
      this.set({ kind: "asking" });
      this.ask();
    }
  }
}
