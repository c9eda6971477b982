import { test } from 'tap'
import { requireInvariants } from '../../../src/engine/linkage/invariants.ts'
import { openScratch } from '../scratch.ts'

const sound = `
  create temp table person (ordinal integer, founding uuid, t1 uuid, t4 uuid);
  create temp table settled (agency utinyint, serial varchar, ordinal integer, number uuid, t4 uuid);
  create temp table by_weaker (agency utinyint, serial varchar, ordinal integer, pass tinyint, number uuid, t4 uuid);
  create temp table founding_label (node uuid, label uuid);
  create temp table settled_spine (serial varchar, founding uuid);
  create temp table spine_label (serial varchar, label varchar);
  create temp table k4_apart (t1 uuid);
  create temp view number_place as select t1, ordinal from person where t1 is not null;
  insert into person select i, md5('founding' || i)::uuid, md5('K1' || i)::uuid, md5('K4')::uuid from range(3) as r(i);
  insert into settled values (1, 'a', 0, md5('K1' || 0)::uuid, md5('K4')::uuid);
  insert into by_weaker values (1, 'b', 1, 6, md5('K1' || 1)::uuid, null)`

/** What breaks an invariant, and what the refusal then says. */
const broken: Record<string, [breaks: string, details: Record<string, number>]> = {
  'a second number by a rule': [
    `insert into settled values (2, 'c', 0, md5('another')::uuid, null)`,
    { numbers: 1 },
  ],
  'a second number by a weaker key': [
    `insert into by_weaker values (2, 'c', 2, 6, md5('another')::uuid, null)`,
    { numbers: 1 },
  ],
  'a second K4': [`insert into settled values (2, 'c', 0, null, md5('other')::uuid)`, { k4s: 1 }],
  'a K4 that one join has not looked at': [
    `insert into k4_apart select t1 from person where ordinal = 2`,
    { k4s: 1 },
  ],
  'both at once': [
    `insert into by_weaker values (2, 'c', 1, 6, md5('another')::uuid, md5('other')::uuid)`,
    { numbers: 1, k4s: 1 },
  ],
}

test('a linkage that breaks what must hold of a person is refused with counts', async (t) => {
  const linkage = async (breaks: string, counts: { linked?: number; doubled?: number } = {}) => {
    const { session } = await openScratch(t)
    await session.run(`${sound}; ${breaks}`)
    const agencies = { spine: { linked: counts.linked ?? 3, duplicates: 0 } }
    const doubled: Record<string, number> = counts.doubled ? { one: counts.doubled } : {}
    return requireInvariants(session, 3, { spine: 'spine', agencies, doubled })
  }
  await t.resolves(linkage('select 1'))
  await t.resolves(
    linkage(`insert into by_weaker values (2, 'c', 1, 8, md5('another')::uuid, null)`),
    'a promoted link has another number by wish',
  )
  for (const [what, [breaks, details]] of Object.entries(broken)) {
    await t.rejects(linkage(breaks), { code: 'state-conflict', details }, what)
  }
  await t.rejects(linkage('select 1', { linked: 2 }), {
    code: 'state-conflict',
    details: { withoutSpine: 1 },
  })
  await t.rejects(linkage('select 1', { doubled: 2 }), {
    code: 'state-conflict',
    details: { serials: 2 },
  })
})
