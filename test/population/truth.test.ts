import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { linkRulesSchema } from '../../src/core/passes.ts'
import { linkPersons } from '../../src/engine/link.ts'
import { openSession } from '../../src/engine/session.ts'
import { generatePopulation } from '../../src/population/generate.ts'
import { judgeLinkage } from '../../src/population/truth.ts'
import { keysOf, linkOf, type Passes, writeMaps, writeTokens } from './linker.ts'
import { personsByAgency, rowsOf } from './support.ts'

// Ten times the usual dirt, so that a small population has some of each kind.
const dirt = {
  changedWithNotice: 0.02,
  changedWithoutNotice: 0.02,
  naturalised: 0.01,
  numberOnTwoPersons: 0.02,
  duplicates: 0.03,
  missingBirthDates: 0.02,
  parentsNumbers: 0.05,
  missingNumbers: 0.03,
  placeholders: 0.01,
  typosInNumbers: 0.03,
}

test('a linkage can be judged against the truth', async (t) => {
  const root = t.testdir({ population: {} })
  const populationDir = join(root, 'population')
  await generatePopulation({ persons: 2000, seed: 3, outDir: populationDir, dirt })
  const records = keysOf(await personsByAgency(populationDir))
  let runs = 0
  const judge = async (
    passes: Passes,
    damage?: (maps: Map<string, Map<string, number>>) => void,
  ) => {
    const dir = join(root, `run-${runs++}`)
    await mkdir(dir)
    const maps = linkOf(records, passes)
    damage?.(maps)
    const written = await writeMaps(dir, records, maps)
    const hasNotices = passes.notices !== undefined
    const scratchDir = join(dir, 'judge')
    return judgeLinkage({ populationDir, scratchDir, ...written, hasNotices })
  }
  const rules = { hasVeto: true, hubMax: 3 }

  t.test('by number with the veto of birth date and sex: none wrong, none missed', async (t) => {
    const judged = await judge(rules)
    t.same(Object.keys(judged), ['hira', 'kdca', 'kostat', 'ncc', 'nhis'])
    for (const [agency, { delivered, linked, wrong, linkable, missed }] of Object.entries(judged)) {
      t.same({ wrong, missed }, { wrong: 0, missed: 0 }, agency)
      t.equal(linked, linkable, agency)
      t.ok(linkable > 300, `${agency}: ${linkable} can be linked`)
      t.ok(agency === 'ncc' ? linked === delivered : linked < delivered, agency)
    }
  })

  t.test('with notices more can be linked, and none is wrong', async (t) => {
    const rows = await rowsOf(join(populationDir, 'nhis/notices.csv'))
    const notices = new Map(rows.map((row) => [row['NEW_NO'] ?? '', row['OLD_NO'] ?? '']))
    const [without, judged] = [await judge(rules), await judge({ ...rules, notices })]
    for (const agency of ['hira', 'nhis', 'kdca']) {
      t.match(judged[agency], { wrong: 0, missed: 0 })
      t.ok((judged[agency]?.linkable ?? 0) > (without[agency]?.linkable ?? 0), agency)
    }
  })

  t.test('without the veto newborns and borrowers are linked wrong', async (t) => {
    const judged = await judge({ ...rules, hasVeto: false })
    t.ok((judged['hira']?.wrong ?? 0) >= 20, `${judged['hira']?.wrong} wrong links at HIRA`)
    t.ok((judged['nhis']?.wrong ?? 0) >= 10, `${judged['nhis']?.wrong} wrong links at NHIS`)
    t.equal(judged['kdca']?.wrong, 0)
  })

  t.test('the engine links the same population: none wrong, none missed', async (t) => {
    const dir = join(root, 'engine')
    await mkdir(dir)
    const written = await writeMaps(dir, records, linkOf(records, rules))
    const session = await openSession({ scratchDir: dir, memoryMiB: 512, threads: 2 })
    const deliveries = []
    for (const agency of Object.keys(written.serials)) {
      deliveries.push({
        deliveryId: agency,
        agency,
        wave: 1,
        isSpine: agency === 'ncc',
        isDuplicateFree: ['ncc', 'nhis', 'kostat'].includes(agency),
        keyTypes: ['K1', 'K4'],
        files: [await writeTokens(session, agency, records)],
        noticeFiles: [],
      })
    }
    const linked = await linkPersons(session, {
      deliveries,
      rules: linkRulesSchema.parse({}),
      personsOf: (tokens) => tokens,
      outDir: dir,
    })
    session.close()
    t.equal(linked.persons, 2000, 'spine in, spine out')
    t.ok(linked.report.hubs >= 1)
    const maps = Object.fromEntries(
      Object.entries(linked.maps).map(([agency, { file }]) => [agency, file]),
    )
    const { serials } = written
    const judged = await judgeLinkage({
      populationDir,
      scratchDir: join(dir, 'judge'),
      serials,
      maps,
    })
    for (const [agency, { wrong, missed, linked, linkable }] of Object.entries(judged)) {
      t.same({ wrong, missed, linked }, { wrong: 0, missed: 0, linked: linkable }, agency)
    }
  })

  t.test('a link left out is missed, two persons put together are wrong', async (t) => {
    const judged = await judge(rules, (maps) => {
      const [id] = [...(maps.get('hira')?.keys() ?? [])]
      if (id !== undefined) maps.get('hira')?.delete(id)
      const [one, other] = [...(maps.get('ncc')?.entries() ?? [])]
      if (one !== undefined && other !== undefined) maps.get('ncc')?.set(other[0], one[1])
    })
    t.match(judged['hira'], { missed: (judged['hira']?.wrong ?? 0) + 1 })
    t.match(judged['ncc'], { wrong: 1, missed: 1 })
  })
})
