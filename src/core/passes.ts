/**
 * The rules by which records become persons (`shared/LINKAGE.md`). A record is linked or it is not, for a reason that can be
 * named; nothing depends on the order of agencies, parts or rows. The engine's SQL does what is said here, and the tests
 * hold a second, slow linker of their own against it.
 *
 * **Record**: a serial of an agency, with the keys of the last wave that brought it. **Number**: a K1 that is no hub,
 * taken as one with those that notices join it to. **Person**: what spine records of one number found; a spine record
 * without a number, or with a contested one, founds a person of its own. **Known keys of a person**: those of its spine
 * records and of the records that passes 1 to 4 link to it, so that a weaker link never leads to the next.
 */
import { z } from 'zod'

/** The rule set a linkage names. It changes whenever the same inputs could link differently. */
export const rulesVersion = 'gyeol-passes-3'

/** The settings of a project's linkage. */
export const linkRulesSchema = z.strictObject({
  /** A key seen with more different K4 than this is a hub: it stands for nobody. */
  hubK4Max: z.int().min(1).max(1_000).default(3),
  /** A key on more serials of one agency than this is a hub. */
  hubSerialsMax: z.int().min(1).max(1_000).default(3),
  /** More K1 than this joined by notices are not one person's: these notices are set aside and counted. */
  noticeNumbersMax: z.int().min(2).max(100).default(5),
  /** Two of K2, K3 and K5 that agree make `match` of `possible`, where there is one candidate only. */
  promotePossible: z.boolean().default(false),
  /** Counts from 1 to below this are not told. */
  cellMin: z.int().min(1).max(1_000).default(10),
  /** So many waves a record that is nobody's waits for its person; then it is destroyed. */
  lateWavesMax: z.int().min(1).max(99).default(3),
  /** Agencies may fetch their own serials that were linked. */
  extraction: z.boolean().default(false),
  /**
   * Agencies other than the spine may be asked about cases: a question tells that a record of theirs is or may be linked.
   */
  tickets: z.boolean().default(false),
})

/** Checked settings. */
export type LinkRules = z.infer<typeof linkRulesSchema>

/**
 * What came of a record. `founded`: of the spine, and a person because of it. `none`: no person has its keys. `quarantined`:
 * likewise, and its K1 is a hub. `possible`: somebody may be it, and people have to look. `conflict`: its keys name a person
 * whom something forbids it to be. Linked are `founded`, `perfect` and `match`; and every record of the spine.
 */
export const outcomes = [
  'founded',
  'perfect',
  'match',
  'possible',
  'conflict',
  'quarantined',
  'none',
] as const
export type Outcome = (typeof outcomes)[number]

/** The passes in order. A record that one pass has settled is not looked at again. */
export const passes = [
  { pass: 0, when: 'a key is a hub', outcome: 'quarantined' },
  { pass: 1, when: 'K1 equal, K4 equal', outcome: 'perfect' },
  { pass: 2, when: 'K1 equal, K4 missing on a side', outcome: 'match' },
  { pass: 3, when: 'K1 equal, K4 different, or the number contested', outcome: 'conflict' },
  { pass: 4, when: 'K1 joined by a notice, K4 not different', outcome: 'match' },
  { pass: 5, when: 'K1 missing on a side, K3 or K5 equal, K4 not different', outcome: 'match' },
  { pass: 6, when: 'K1 missing on a side, K2 equal and unique', outcome: 'match' },
  { pass: 7, when: 'as 6, K2 not unique', outcome: 'possible' },
  { pass: 8, when: 'K1 different, K2, K3 or K5 equal', outcome: 'possible' },
  { pass: 9, when: 'nothing; a spine record founds a person', outcome: 'none' },
  { pass: 10, when: 'two people decided', outcome: 'match' },
] as const satisfies readonly { pass: number; when: string; outcome: Outcome }[]

/** The pass of what people decided; it goes before all others. */
export const decidedPass = 10
