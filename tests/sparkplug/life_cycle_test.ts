import { assertEquals } from "@std/assert";
import { json, Plant } from "./_plant.ts";

function found(plant: Plant): string[] {
  return plant.referee.violations.latest().map(({ rule, detail }) => `${rule}: ${detail}`);
}

for (const mode of ["monitor", "strict"] as const) {
  Deno.test(`a well-behaved plant breaks no rule in ${mode} mode`, () => {
    const plant = new Plant({ mode });
    plant.onlineHost();
    plant.bornDevice();
    for (let round = 0; round < 300; round++) {
      plant.wait(100);
      assertEquals(plant.ndata().action, "route");
      const metrics = [{ alias: 2, timestamp: plant.nowMs, value: [10, round] }] as const;
      assertEquals(plant.ddata(round % 2 === 0 ? {} : { metrics, device: "D" }).action, "route");
    }
    plant.ncmd();
    plant.dcmd();
    plant.askRebirth();
    plant.wait(500);
    plant.nbirth();
    plant.dbirth();
    plant.wait(20_000);
    plant.ddeath();
    plant.dbirth();
    plant.ndeath();
    plant.leave(plant.edge);
    plant.bornDevice({ bdSeq: 1 });
    plant.wait(2000);
    plant.leave(plant.edge, false);
    plant.wait(2000);
    plant.bornDevice({ bdSeq: 2 });
    plant.state(false, { timestamp: plant.nowMs });
    plant.leave(plant.host);
    assertEquals(found(plant), []);
  });
}

Deno.test("bdSeq counts from 255 to 0, and the host comes and goes with its node behind it", () => {
  const plant = new Plant();
  plant.referee.restore([{ edgeNode: "G/E", bdSeq: 255 }]);
  const watching = [["spBv1.0/G/NCMD/E", 1], ["spBv1.0/G/DCMD/E/#", 1], ["spBv1.0/STATE/H", 1]];
  plant.onlineHost();
  plant.bornNode({ filters: watching as [string, number][] });
  plant.wait(1000);
  plant.leave(plant.host, false);
  plant.announce("spBv1.0/STATE/H", json({ online: false, timestamp: plant.host.willTimestamp }));
  plant.wait(500);
  plant.ndeath();
  plant.leave(plant.edge);
  plant.wait(60_000);
  assertEquals(found(plant), []);
});
