import { expect, test } from "vitest";
import type { Standing } from "../src/line";
import { LineWatch, type WatchedConnection } from "../src/watch";

class FakeConnection implements WatchedConnection {
  packets = 0;
  failure: number | null = null;
  silenced = false;
  closed = false;

  constructor(
    readonly replaces: string | null,
    public pcId: string | null = null,
  ) {}

  poll(): void {}
  silence(): void {
    this.silenced = true;
  }
  close(): void {
    this.closed = true;
  }
}

/** A call whose first connection is up, on a clock that stands still until it is wound on. */
class Scene {
  nowMs = 0;
  standing: Standing | null = { state: "connected" };
  questions = 0;
  dials = 0;
  steady: boolean[] = [];
  endings: string[] = [];
  readonly connections = [new FakeConnection(null, "one")];
  readonly watch: LineWatch<FakeConnection>;

  constructor() {
    this.watch = new LineWatch({
      first: this.last,
      open: (replaces) => {
        this.connections.push(new FakeConnection(replaces));
        return this.last;
      },
      ask: async () => {
        this.questions += 1;
        return this.standing;
      },
      onDial: () => (this.dials += 1),
      onSteady: (steady) => steady !== this.steady.at(-1) && this.steady.push(steady),
      onEnd: (reason) => {
        this.endings.push(reason);
        this.watch.close();
      },
      nowMs: () => this.nowMs,
    });
    this.watch.connected();
  }

  get last(): FakeConnection {
    return this.connections.at(-1) as FakeConnection;
  }

  /** Ticks for so long; packets come over the last connection, or do not. */
  async pass(ms: number, { packets }: { packets: boolean }): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 100;
      if (packets) this.last.packets += 5;
      this.watch.tick();
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  /** The new connection is answered and comes up. */
  async comesUp(pcId: string): Promise<void> {
    this.last.pcId = pcId;
    this.watch.connected();
    await this.pass(100, { packets: true });
  }
}

async function talking(): Promise<Scene> {
  const scene = new Scene();
  await scene.pass(1_000, { packets: true });
  return scene;
}

test("a line that is well asks nothing", async () => {
  const scene = await talking();
  expect([scene.questions, scene.steady, scene.connections.length]).toEqual([0, [true], 1]);
});

test("a bot that died is back on a new connection within a second, in the place of the old one", async () => {
  const scene = await talking();
  scene.standing = { state: "reconnecting" };
  await scene.pass(600, { packets: false });
  expect([scene.dials, scene.last.replaces]).toEqual([1, "one"]);
  await scene.comesUp("two");
  expect(scene.steady).toEqual([true, false, true]);
});

test("a second loss names the connection of the first one's end", async () => {
  const scene = await talking();
  scene.standing = { state: "reconnecting" };
  await scene.pass(600, { packets: false });
  await scene.comesUp("two");
  await scene.pass(600, { packets: false });
  expect(scene.connections.map(({ replaces }) => replaces)).toEqual([null, "one", "two"]);
});

test("a former connection is silent at once, and closed when the new one is answered", async () => {
  const scene = await talking();
  scene.standing = { state: "reconnecting" };
  await scene.pass(600, { packets: false });
  const [former] = scene.connections as [FakeConnection, FakeConnection];
  expect([former.silenced, former.closed]).toEqual([true, false]);
  scene.last.pcId = "two";
  await scene.pass(100, { packets: false });
  expect(former.closed).toBe(true);
});

test("a short loss shows nowhere", async () => {
  const scene = await talking();
  await scene.pass(700, { packets: false });
  expect([scene.watch.inDoubt, scene.steady]).toEqual([true, [true]]);
  await scene.pass(1_000, { packets: true });
  expect([scene.watch.inDoubt, scene.steady, scene.connections.length]).toEqual([false, [true], 1]);
});

test("a loss that only the caller notices leads to a new connection too", async () => {
  const scene = await talking();
  await scene.pass(2_400, { packets: false });
  expect(scene.connections).toHaveLength(1);
  await scene.pass(200, { packets: false });
  expect(scene.connections).toHaveLength(2);
});

test("a server that can't be reached is asked until packets come back", async () => {
  const scene = await talking();
  scene.standing = null;
  await scene.pass(10_000, { packets: false });
  await scene.pass(1_000, { packets: true });
  expect([scene.steady, scene.connections.length, scene.endings]).toEqual([[true, false, true], 1, []]);
});

test("a line that nothing brings back is lost after half a minute", async () => {
  const scene = await talking();
  scene.standing = null;
  await scene.pass(29_900, { packets: false });
  expect(scene.endings).toEqual([]);
  await scene.pass(200, { packets: false });
  expect([scene.endings, scene.last.closed]).toEqual([["lost"], true]);
});

test("an offer that is refused for now is made again", async () => {
  const scene = await talking();
  scene.standing = { state: "reconnecting" };
  await scene.pass(600, { packets: false });
  scene.last.failure = 503;
  await scene.pass(1_000, { packets: false });
  expect(scene.connections.map(({ replaces }) => replaces)).toEqual([null, "one", "one"]);
});

test("a call that has ended meanwhile ends with the server's reason, once", async () => {
  const scene = await talking();
  scene.last.failure = 0;
  scene.standing = { state: "ended", reason: "idle" };
  await scene.pass(500, { packets: false });
  expect(scene.endings).toEqual(["idle"]);
});

test("a call that was left closes every connection it had", async () => {
  const scene = await talking();
  scene.standing = { state: "reconnecting" };
  await scene.pass(600, { packets: false });
  scene.watch.close();
  expect(scene.connections.map(({ closed }) => closed)).toEqual([true, true]);
});
