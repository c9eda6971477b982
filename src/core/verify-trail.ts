/**
 * Checking an exported trail (trail-lines.ts) without trusting whoever made it.
 *
 * Three questions, and for each the place where the answer is no:
 *   - does every entry fit its recorded hash (else: this leaf was edited);
 *   - do the recorded hashes make the roots that were signed on the way (else: between these two
 *     checkpoints leaves were edited, dropped, inserted or exchanged together with their hashes);
 *   - does the trail continue the older checkpoint that the auditor kept (else: history was
 *     rewritten, or cut).
 */
import { base64Of, bytesOfBase64 } from './base64.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import type { Cosigner } from './cosignature.ts'
import { checkCosignatures } from './cosigned.ts'
import { Refusal } from './errors.ts'
import { hashBytes, leafHash } from './merkle.ts'
import { readTrailLine, type TrailHeader, type TrailLine } from './trail-lines.ts'
import { leavesBetween, TrailRoots } from './trail-roots.ts'

/** What the auditor brings along. */
export type TrailExpectation = {
  /**
   * Keys that may sign checkpoints, `name+hash+key`. Without them the keys in the export are taken,
   * which proves less.
   */
  verifierKeys?: readonly string[]
  /** A checkpoint kept from earlier, as the whole signed note. */
  olderCheckpoint?: string
  /** Witnesses that the auditor trusts, `name+hash+key` of type 4. */
  witnessKeys?: readonly string[]
  /** How many of these must have cosigned the checkpoint of the end. */
  cosignaturesMin?: number | undefined
}

/** What was found. */
export type TrailReport = {
  /** Whether there is no problem at all. */
  verified: boolean
  origin: string
  /** Leaves of the log at the signed checkpoint of the end; 0 when that was not reached. */
  size: number
  /** Root of that checkpoint, base 64; empty when it was not reached. */
  root: string
  /** Leaves looked at. */
  leaves: number
  /** Signed checkpoints whose roots the leaves made. */
  checkpoints: number
  /** Which of these witnesses cosigned the checkpoint of the end. */
  cosigners: Cosigner[]
  /** Signatures under it that are none of theirs, nor the log's. */
  otherCosignatures: number
  /** The first hundred problems in the order of the trail. */
  problems: { where: string; sentence: string }[]
  /** All problems. */
  problemCount: number
  /** What could not be checked, and why. */
  unchecked: string[]
}

const problemsMax = 100

/**
 * Checks an exported trail line by line, in flat memory.
 *
 * Never throws for what is in the lines: whatever is wrong is a problem in the report, with the
 * place.
 */
export async function verifyTrail(
  lines: AsyncIterable<string> | Iterable<string>,
  expectation: TrailExpectation = {},
): Promise<TrailReport> {
  const check = new TrailCheck(expectation)
  for await (const line of lines) check.take(line)
  return check.finish()
}

/** The state between two lines. */
class TrailCheck {
  readonly #expectation: TrailExpectation
  readonly #report: TrailReport = {
    verified: false,
    origin: '',
    size: 0,
    root: '',
    leaves: 0,
    checkpoints: 0,
    cosigners: [],
    otherCosignatures: 0,
    problems: [],
    problemCount: 0,
    unchecked: [],
  }
  #lineNumber = 0
  /**
   * What the header promised and what goes with it; one object, so that none is there without the
   * others.
   */
  #trail: { header: TrailHeader; keys: readonly string[]; roots: TrailRoots } | undefined
  /** Number of the leaf that must come next. */
  #next = 0
  #isEnded = false

  constructor(expectation: TrailExpectation) {
    this.#expectation = expectation
  }

  take(text: string): void {
    const where = `line ${++this.#lineNumber}`
    const line = readTrailLine(text)
    if (line === undefined) this.#tell(where, 'This is no line of an exported trail.')
    else if (this.#isEnded) this.#tell(where, 'Something follows the end of the trail.')
    else if ((line.kind === 'header') !== (this.#trail === undefined)) {
      this.#tell(where, 'An exported trail has one header, before all other lines.')
    } else if (line.kind === 'header') this.#takeHeader(line)
    else if (line.kind === 'leaf') this.#takeLeaf(line)
    else if (line.kind === 'checkpoint') this.#takeCheckpoint(line.note)
    else this.#takeEnd(line)
  }

  finish(): TrailReport {
    if (!this.#isEnded) this.#tell('end', 'The export is cut off: its last line is missing.')
    if (this.#isEnded) this.#trail?.roots.finish(this.#report.size)
    this.#report.verified = this.#report.problemCount === 0
    return this.#report
  }

  #takeHeader(header: TrailHeader): void {
    const { verifierKeys, olderCheckpoint } = this.#expectation
    const keys = verifierKeys ?? header.verifierKeys
    if (verifierKeys === undefined) {
      this.#report.unchecked.push(
        'Who signed: the key was taken from the export itself. Give the verifier key you trust.',
      )
    }
    this.#report.origin = header.origin
    const older =
      olderCheckpoint === undefined
        ? undefined
        : this.#opened(olderCheckpoint, keys, 'older checkpoint')
    const roots = new TrailRoots((where, sentence) => this.#tell(where, sentence), older)
    this.#trail = { header, keys, roots }
    roots.appendSubtrees(0, header.from, this.#hashes(header.left, 'header'))
    this.#next = header.from
  }

  #takeLeaf({ number, hash, entry }: Extract<TrailLine, { kind: 'leaf' }>): void {
    const where = `leaf ${number}`
    if (number < this.#next) {
      this.#trail?.roots.lose()
      this.#tell(where, 'This leaf comes twice or out of order.')
      return
    }
    if (number > this.#next) this.#tellMissing(number - 1)
    if (number >= (this.#trail?.header.to ?? 0)) {
      this.#tell(where, 'The header names fewer leaves: this one was inserted.')
    }
    this.#next = number + 1
    this.#report.leaves++
    const computed = leafHash(Buffer.from(entry, 'utf8'))
    if (base64Of(computed) === hash) {
      this.#trail?.roots.append(computed)
    } else {
      this.#tell(where, 'The entry does not fit its recorded hash: it was edited.')
      // The recorded hash goes on, so that the signed roots say whether anything else was touched.
      for (const recorded of this.#hashes([hash], where)) this.#trail?.roots.append(recorded)
    }
  }

  #takeCheckpoint(note: string): void {
    const signed = this.#opened(
      note,
      this.#trail?.keys ?? [],
      `checkpoint after leaf ${this.#next - 1}`,
    )
    if (signed !== undefined && this.#trail?.roots.fits(signed)) this.#report.checkpoints++
  }

  #takeEnd({ right, note }: Extract<TrailLine, { kind: 'end' }>): void {
    this.#isEnded = true
    const to = this.#trail?.header.to ?? 0
    if (this.#next < to) this.#tellMissing(to - 1)
    const signed = this.#opened(note, this.#trail?.keys ?? [], 'end')
    if (signed === undefined) return
    this.#report.size = signed.size
    this.#report.root = base64Of(signed.root)
    this.#trail?.roots.appendSubtrees(to, signed.size, this.#hashes(right, 'end'))
    if (this.#trail?.roots.fits(signed)) this.#report.checkpoints++
    this.#takeCosignatures(note)
  }

  #takeCosignatures(note: string): void {
    const { cosigners, others, problems } = checkCosignatures(note, {
      verifierKeys: this.#trail?.keys ?? [],
      witnessKeys: this.#expectation.witnessKeys ?? [],
      cosignaturesMin: this.#expectation.cosignaturesMin,
    })
    this.#report.cosigners = cosigners
    this.#report.otherCosignatures = others
    for (const sentence of problems) this.#tell('cosignatures', sentence)
  }

  #tellMissing(last: number): void {
    this.#trail?.roots.lose()
    this.#tell(leavesBetween(this.#next, last), 'Missing from the trail.')
  }

  /** The checkpoint in a note; `undefined`, and told, if it is not one of this log. */
  #opened(note: string, keys: readonly string[], where: string): Checkpoint | undefined {
    try {
      const checkpoint = openCheckpoint(note, keys)
      if (checkpoint.origin === this.#report.origin) return checkpoint
      this.#tell(where, 'This checkpoint is of another log.')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#tell(where, error.message)
    }
    return undefined
  }

  #hashes(texts: readonly string[], where: string): Uint8Array[] {
    const whole = texts.flatMap((text) => {
      const hash = bytesOfBase64(text)
      return hash?.length === hashBytes ? [hash] : []
    })
    if (whole.length === texts.length) return whole
    this.#trail?.roots.lose()
    this.#tell(where, 'A hash here is not 32 bytes in base 64.')
    return []
  }

  #tell(where: string, sentence: string): void {
    this.#report.problemCount++
    if (this.#report.problems.length < problemsMax) this.#report.problems.push({ where, sentence })
  }
}
