/** A project whose waves are linked one after the other, each linkage going on from the key index that the last one left. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LinkRules } from '../../../src/core/passes.ts'
import { type Linked, linkPersons } from '../../../src/engine/link.ts'
import type { LinkDelivery } from '../../../src/engine/linkage/agencies.ts'
import { openSession, quoteText, type Session } from '../../../src/engine/session.ts'
import type { Verdict } from '../../../src/engine/waves/decisions.ts'
import { type Population, personsOf, writeNotices, writeTokens } from '../linkage/populations.ts'

/** What a linkage left. */
export type Run = {
  linked: Linked
  version: number
  /** Agency and serial → person number; undefined where linked to nobody. */
  personOf: ReadonlyMap<string, string | undefined>
  /** Every number that was given up or that another came out of, over all runs. */
  changes: { person: string; other: string; reason: string; version: number }[]
  /** `agency serial spine-serial` → number of the case. */
  cases: ReadonlyMap<string, string>
}

type Options = {
  /** Agency and serial, as `one p`: doubted since the last linkage. */
  doubts?: readonly string[]
  verdicts?: readonly Verdict[]
  releasedVersions?: readonly number[]
  threads?: number
}

export type Project = {
  /** Delivers a wave: of each agency that has records in it. */
  deliver: (population: Population) => Promise<void>
  /** Links all waves that were delivered. */
  link: (options?: Options) => Promise<Run>
  /** From here on tokens are made under another linkage key. */
  changeKey: () => void
}

/** Opens a project in a directory. */
export function openProject(dir: string, rules: LinkRules): Project {
  const deliveries: (Omit<LinkDelivery, 'files'> & { files: string[]; epoch: number })[] = []
  let last: Run | undefined
  let epoch = 1
  let lastEpoch = 1
  let wave = 0
  let runs = 0
  const withSession = async <T>(
    threads: number,
    work: (session: Session) => Promise<T>,
  ): Promise<T> => {
    const session = await openSession({ scratchDir: dir, memoryMiB: 256, threads })
    try {
      return await work(session)
    } finally {
      session.close()
    }
  }
  return {
    changeKey: () => {
      epoch += 1
    },
    deliver: async ({ records, notices }) => {
      wave += 1
      await withSession(1, async (session) => {
        const told = join(dir, `notices-${wave}.parquet`)
        await writeNotices(session, told, notices)
        for (const agency of new Set(records.map((record) => record.agency))) {
          const rows = records.filter((record) => record.agency === agency)
          const file = join(dir, `${agency}-${wave}.parquet`)
          await writeTokens(
            session,
            file,
            rows.map((row) => keyedUnder(epoch, row)),
            true,
          )
          const { isSpine = false, isDuplicateFree = false } = rows[0] ?? {}
          const keyTypes = ['K1', 'K2', 'K3', 'K4', 'K5']
          const noticeFiles = agency === records[0]?.agency ? [told] : []
          const declared = { agency, wave, isSpine, isDuplicateFree, keyTypes }
          deliveries.push({
            deliveryId: `${agency} ${wave}`,
            ...declared,
            files: [file],
            noticeFiles,
            epoch,
          })
        }
      })
    },
    link: async ({ verdicts = [], doubts = [], releasedVersions = [], threads = 1 } = {}) => {
      runs += 1
      const outDir = join(dir, `run-${runs}`)
      await mkdir(outDir)
      const doubted = doubts.map(async (name, at) => {
        const [agency = '', serial] = name.split(' ')
        const file = join(dir, `doubts-${runs}-${at}.csv`)
        await writeFile(file, `serial\n${serial}\n`)
        return { agency, file }
      })
      const known = last && {
        file: last.linked.indexFile,
        version: last.version,
        epoch: lastEpoch,
        releasedVersions,
      }
      const before: Record<string, string[]> = {}
      for (const [id, { file }] of Object.entries(last?.linked.maps ?? {})) {
        const [agency = ''] = id.split(' ')
        before[agency] = [...(before[agency] ?? []), file]
      }
      const linked = await withSession(threads, async (session) =>
        linkPersons(session, {
          deliveries: deliveries.map((one) => ({ ...one, isRetired: one.epoch < epoch })),
          rules,
          epoch,
          known,
          before,
          verdicts,
          doubts: await Promise.all(doubted),
          personsOf,
          outDir,
        }),
      )
      lastEpoch = epoch
      for (const delivery of deliveries) {
        const files = linked.thinned[delivery.deliveryId]
        if (files) delivery.files = files
      }
      last = await withSession(1, (session) => runOf(session, linked, (last?.version ?? 0) + 1))
      return last
    },
  }
}

/** A record with keys as another linkage key would make them. */
function keyedUnder(
  epoch: number,
  record: Population['records'][number],
): Population['records'][number] {
  if (epoch === 1) return record
  const keys = (['k1', 'k2', 'k3', 'k4', 'k5'] as const).flatMap((name) => {
    const key = record[name]
    return key === undefined ? [] : [[name, `epoch ${epoch} ${key}`]]
  })
  return { ...record, ...Object.fromEntries(keys) }
}

async function runOf(session: Session, linked: Linked, version: number): Promise<Run> {
  const personOf = new Map<string, string | undefined>()
  for (const [id, { file }] of Object.entries(linked.maps)) {
    const rows = await session.rows<{ serial: string; person: string | null }>(`
      select serial, person::varchar as person
      from read_parquet(${quoteText(file)}) left join read_parquet(${quoteText(linked.personsFile)})
        using (ordinal)`)
    for (const { serial, person } of rows)
      personOf.set(`${id.split(' ')[0]} ${serial}`, person ?? undefined)
  }
  const cases = await session.rows<{ about: string; id: string }>(`
    select agency || ' ' || serial || ' ' || spine_serial as about, case_id::varchar as id
    from read_parquet(${quoteText(linked.indexFile)}) where kind = 'case'`)
  const changes = await session.rows<Run['changes'][number]>(`
    select person::varchar as person, other::varchar as other, reason, version
    from read_parquet(${quoteText(linked.changesFile)})`)
  return {
    linked,
    version,
    personOf,
    changes,
    cases: new Map(cases.map(({ about, id }) => [about, id])),
  }
}
