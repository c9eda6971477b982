import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { CaseVerdict } from '../../../src/core/link-case.ts'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { openProject } from './project.ts'

const spine = { agency: 'spine', isSpine: true, isDuplicateFree: false }
const serials = ['a', 'b', 'c']

// Whose number is the smaller, and is left by a merge, is chance: in some order it is each record's.
for (const numbers of ['123', '132', '213', '231', '312', '321']) {
  test(`a split leaves a number with the record that it came with (${numbers})`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'gyeol-split-'))
    t.teardown(() => rm(dir, { recursive: true, force: true }))
    const { deliver, link } = openProject(dir, linkRulesSchema.parse({}))
    const records = serials.map((serial, at) => {
      return { ...spine, serial, k1: numbers[at] ?? '', k2: 'kim x', k4: 'x' }
    })
    await deliver({ records, notices: [] })
    const first = await link()
    const said = new Map<string, CaseVerdict>()
    const after = async (pair: string, verdict: CaseVerdict) => {
      said.set(first.cases.get(`spine ${pair}`) ?? '', verdict)
      const verdicts = [...said].map(([caseId, each]) => ({ caseId, verdict: each }))
      const run = await link({ verdicts })
      return serials.map((serial) => run.personOf.get(`spine ${serial}`))
    }
    const before = serials.map((serial) => first.personOf.get(`spine ${serial}`))

    const merged = await after('a b', 'must-link')
    t.equal(merged[0], merged[1])
    const owner = before.indexOf(merged[0])
    const split = await after('a b', 'cannot-link')
    t.equal(split[owner], merged[0])
    t.notOk(before.includes(split[1 - owner]), 'the other gets one that nobody had')

    // With what it got, it is somebody in its own right.
    const other = 1 - owner
    const again = await after(`${serials[other]} c`, 'must-link')
    t.equal(again[other], again[2])
    const apart = await after(`${serials[other]} c`, 'cannot-link')
    const kept = split.indexOf(again[2])
    t.equal(apart[kept], again[2])
    t.equal(apart[owner], split[owner], 'who has no part in it keeps theirs')
    t.equal(new Set(apart).size, serials.length)
  })
}
