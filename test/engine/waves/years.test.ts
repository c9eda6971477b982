import { createSecretKey } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { pseudonymsOf } from '../../../src/core/pseudonym.ts'
import type { Verdict } from '../../../src/engine/waves/decisions.ts'
import type { OracleRecord } from '../linkage/oracle.ts'
import { openProject, type Run } from './project.ts'

const years = 6
const patientsAYear = 80
const domainKey = createSecretKey(Buffer.alloc(32, 5))

const sources = {
  registry: { agency: 'spine', isSpine: true, isDuplicateFree: false },
  insurer: { agency: 'insurer', isSpine: false, isDuplicateFree: false },
  deaths: { agency: 'deaths', isSpine: false, isDuplicateFree: true },
}

/** The same numbers from 0 to 1 in every run (Park and Miller, 1988). */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

type Patient = {
  id: number
  /** Today's number, and one that has been changed and not yet told of. */
  number: string
  untold: string | undefined
  /** Records of the registry that have a mistyped number until they are corrected. */
  mistyped: Set<string>
  serials: string[]
  isDead: boolean
}

/** A nation of patients, whose records get dirty and are put right again, year by year. */
class Nation {
  readonly patients: Patient[] = []
  readonly idOf = new Map<string, number>()
  readonly tumours: string[] = []
  readonly deaths: string[] = []
  readonly #roll = dice(2_026)
  year = 0

  /** What the agencies deliver this year. */
  next(): { records: OracleRecord[]; notices: [string, string][] } {
    this.year += 1
    const records = this.#corrections()
    const notices = this.#changedNumbers()
    for (let count = 0; count < patientsAYear; count += 1) records.push(...this.#patient())
    for (const patient of this.patients) records.push(...this.#life(patient))
    return { records, notices }
  }

  #record(
    source: keyof typeof sources,
    serial: string,
    patient: Patient,
    k1 = patient.number,
  ): OracleRecord {
    const { id } = patient
    this.idOf.set(`${sources[source].agency} ${serial}`, id)
    const birth = `b${id % 97}`
    return { ...sources[source], serial, k1, k2: `name ${id} ${birth}`, k4: birth }
  }

  /** Somebody new, with one tumour or two, and sometimes with a mistyped number on one of them. */
  #patient(): OracleRecord[] {
    const id = this.patients.length
    const patient: Patient = {
      id,
      number: `n${id}`,
      untold: undefined,
      mistyped: new Set(),
      serials: [],
      isDead: false,
    }
    this.patients.push(patient)
    const tumours = this.#roll() < 0.2 ? 2 : 1
    return Array.from({ length: tumours }, (_, at) => {
      const serial = `r${id}-${at}`
      patient.serials.push(serial)
      this.tumours.push(serial)
      const isMistyped = this.#roll() < 0.1
      if (isMistyped) patient.mistyped.add(serial)
      return this.#record('registry', serial, patient, isMistyped ? `typo ${serial}` : undefined)
    })
  }

  /** A year later the registry has found what was mistyped. */
  #corrections(): OracleRecord[] {
    return this.patients.flatMap((patient) => {
      const found = [...patient.mistyped].filter(() => this.#roll() < 0.7)
      for (const serial of found) patient.mistyped.delete(serial)
      return found.map((serial) => this.#record('registry', serial, patient))
    })
  }

  #changedNumbers(): [string, string][] {
    const notices: [string, string][] = []
    for (const patient of this.patients) {
      if (patient.untold !== undefined && this.#roll() < 0.8) {
        notices.push([patient.untold, patient.number])
        patient.untold = undefined
      } else if (patient.untold === undefined && this.#roll() < 0.03) {
        patient.untold = patient.number
        patient.number = `changed ${this.year} ${patient.id}`
      }
    }
    return notices
  }

  /** Bills of a year, and a death, which comes with the number of that day. */
  #life(patient: Patient): OracleRecord[] {
    if (patient.isDead) return []
    // A newborn's bill may come under the number of a parent, who was born on another day.
    const parent = this.#roll() < 0.03 ? this.patients[patient.id + 1] : undefined
    const records = [this.#record('insurer', `i${patient.id}`, patient, parent?.number)]
    if (this.#roll() < 0.06) {
      patient.isDead = true
      this.deaths.push(`d${patient.id}`)
      records.push(this.#record('deaths', `d${patient.id}`, patient))
    }
    return records
  }
}

function pseudonymOf(person: string): string {
  return Buffer.from(
    pseudonymsOf(domainKey, Buffer.from(person.replaceAll('-', ''), 'hex')),
  ).toString('hex')
}

test('six years of one project', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-years-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const { deliver, link } = openProject(dir, linkRulesSchema.parse({ lateWavesMax: 2 }))
  const nation = new Nation()
  const verdicts: Verdict[] = []
  const given = new Map<string, number>()
  const gone = new Set<string>()
  const total = { merged: 0, split: 0, held: 0, decided: 0 }
  let last: Run | undefined
  for (let year = 1; year <= years; year += 1) {
    await deliver(nation.next())
    const run = await link({ verdicts, releasedVersions: year > 2 ? [2] : [], threads: 2 })
    const of = (agency: string, serial: string) => run.personOf.get(`${agency} ${serial}`)
    const nobody = nation.tumours.filter((serial) => of('spine', serial) === undefined)
    t.same(nobody, [], `${year}: nobody is lost, and no tumour`)
    t.equal(
      [...run.personOf.keys()].filter((name) => name.startsWith('spine ')).length,
      nation.tumours.length,
      `${year}: no tumour is doubled`,
    )
    const strangers = [...run.personOf].filter(([name, person]) => {
      if (person === undefined) return false
      const id = nation.idOf.get(name) ?? -1
      const owner = given.get(pseudonymOf(person))
      if (owner === undefined) given.set(pseudonymOf(person), id)
      return owner !== undefined && owner !== id
    })
    t.same(strangers, [], `${year}: no pseudonym is, or ever was, somebody else's`)
    for (const { person, reason } of run.changes)
      if (reason === 'merge') gone.add(pseudonymOf(person))
    const used = new Set(
      [...run.personOf.values()].flatMap((person) => (person ? [pseudonymOf(person)] : [])),
    )
    t.same(
      [...used].filter((name) => gone.has(name)),
      [],
      `${year}: what was given up stays so`,
    )
    if (last) {
      const changed = new Set(run.changes.flatMap(({ person, other }) => [person, other]))
      const moved = nation.patients.filter(({ serials }) => {
        const before = serials.map((serial) => last?.personOf.get(`spine ${serial}`))
        const now = serials.map((serial) => of('spine', serial))
        const isUnchanged = before.every((person) => person !== undefined && !changed.has(person))
        return isUnchanged && JSON.stringify(before) !== JSON.stringify(now)
      })
      t.same(moved, [], `${year}: who did not change keeps their pseudonym`)
      const lost = nation.deaths.filter((serial) => {
        const id = nation.idOf.get(`deaths ${serial}`) ?? -1
        const was = last?.personOf.get(`deaths ${serial}`)
        const own = nation.patients[id]?.serials.map((other) => of('spine', other)) ?? []
        return was !== undefined && !own.includes(of('deaths', serial))
      })
      t.same(lost, [], `${year}: no death is lost`)
    }
    // Two people look at the worklist; they know who is who, and leave some for the next year.
    for (const [about, caseId] of run.cases) {
      const [agency = '', serial = '', other = ''] = about.split(' ')
      const isOne = nation.idOf.get(`${agency} ${serial}`) === nation.idOf.get(`spine ${other}`)
      const isLeft = Number.parseInt(caseId.slice(0, 2), 16) % years === year - 1
      if (isLeft || verdicts.some((said) => said.caseId === caseId)) continue
      verdicts.push({ caseId, verdict: isOne ? 'must-link' : 'cannot-link' })
      total.decided += 1
    }
    const { change } = run.linked.report
    total.merged += change.merged
    total.split += change.split
    total.held += change.held
    last = run
  }
  t.ok(total.merged > 5 && total.held > 0 && total.decided > 20, JSON.stringify(total))
  const torn = nation.patients.filter(
    ({ serials }) =>
      new Set(serials.map((serial) => last?.personOf.get(`spine ${serial}`))).size > 1,
  )
  t.ok(
    torn.length < nation.patients.length / 20,
    `${torn.length} of ${nation.patients.length} are still two`,
  )
  const dead = nation.deaths.filter(
    (serial) => last?.personOf.get(`deaths ${serial}`) !== undefined,
  )
  t.ok(
    dead.length > nation.deaths.length * 0.9,
    `${dead.length} of ${nation.deaths.length} deaths are linked`,
  )
})
