/**
 * Signed notes (C2SP signed-note, as of Go's golang.org/x/mod/sumdb/note): a text people can read,
 * a blank line, and one line for each signature. A note itself is signed with type 0x01, Ed25519;
 * other types, as cosignature.ts has one, say something about a note that was signed so.
 *
 * The rule: the text of a note means nothing before a known key has signed it. So there is no way
 * here to read one without naming the keys.
 */
import { base64Of, bytesOfBase64 } from './base64.ts'
import { verifyEd25519 } from './ed25519.ts'
import { Refusal } from './errors.ts'
import { isKeyName, noteKeyType, readVerifierKey, verifierKeyOf } from './verifier-key.ts'

/** A note whose text was signed by the keys named. */
type OpenedNote = {
  /** Ends in a newline. */
  text: string
  /** The verifier keys among those given that signed it; at least one. */
  signers: string[]
}

/** A kind of signature: the type byte of its keys, and whether such a signature fits a text. */
export type SignatureScheme = {
  type: number
  fits: (publicKey: Uint8Array, text: string, signature: Uint8Array) => boolean
}

type Signature = { name: string; keyId: string; bytes: Uint8Array }

const ed25519: SignatureScheme = {
  type: noteKeyType,
  fits: (publicKey, text, bytes) => verifyEd25519(publicKey, Buffer.from(text, 'utf8'), bytes),
}
const noteCharactersMax = 262_144
const signaturesMax = 64

/** The line of a signature under a note, with its newline. `verifierKey` is the signer's. */
export function signatureLine(verifierKey: string, signature: Uint8Array): string {
  const [name = '', keyId = ''] = verifierKey.split('+')
  return `— ${name} ${base64Of(Buffer.concat([Buffer.from(keyId, 'hex'), signature]))}\n`
}

/**
 * The note of a text under one key: the text, a blank line, one signature line.
 *
 * @param text - ends in a newline, has no control characters else.
 * @param sign - gives the 64 bytes of the Ed25519 signature over the bytes it is given.
 * @throws {RangeError} if the text or the name cannot stand in a note.
 */
export function signNote(
  text: string,
  name: string,
  sign: (bytes: Uint8Array) => Uint8Array,
  publicKey: Uint8Array,
): string {
  if (!isNoteText(text)) throw new RangeError('the text of a note ends in a newline')
  const signature = sign(Buffer.from(text, 'utf8'))
  return `${text}\n${signatureLine(verifierKeyOf(name, publicKey, ed25519.type), signature)}`
}

/**
 * Opens a note with the keys one knows. Signatures of unknown keys are passed over.
 *
 * @param verifierKeys - `name+hash+key`, one or more.
 * @throws {Refusal} `input-malformed` if it is no note or a key is no key; `signature-wrong` if a
 * known key's signature does not fit the text, or no known key signed.
 */
export function openNote(note: string, verifierKeys: readonly string[]): OpenedNote {
  const signers = signersOf(note, verifierKeys, ed25519).map(({ verifierKey }) => verifierKey)
  if (signers.length > 0) return { text: parseNote(note).text, signers }
  throw new Refusal(
    'signature-wrong',
    'None of the known keys signed this. Check the verifier key.',
  )
}

/**
 * Which of these keys signed a note in this scheme, and their signatures; perhaps none. Signatures of unknown keys are
 * passed over.
 *
 * @throws {Refusal} `input-malformed` if it is no note or a key is no key of the scheme; `signature-wrong` if a known key's
 * signature does not fit the text.
 */
export function signersOf(
  note: string,
  verifierKeys: readonly string[],
  scheme: SignatureScheme,
): { verifierKey: string; signature: Uint8Array }[] {
  const { text, signatures } = parseNote(note)
  return verifierKeys.flatMap((verifierKey) => {
    const key = readVerifierKey(verifierKey, scheme.type)
    const mine = signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId)
    if (mine === undefined) return []
    if (scheme.fits(key.publicKey, text, mine.bytes))
      return [{ verifierKey, signature: mine.bytes }]
    throw new Refusal('signature-wrong', 'The signature does not fit the text: it was changed.')
  })
}

function parseNote(note: string): { text: string; signatures: Signature[] } {
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2).split('\n')
  const isEnded = lines.pop() === ''
  const isBounded = note.length <= noteCharactersMax && lines.length <= signaturesMax
  if (end < 0 || !isEnded || !isBounded || lines.length === 0 || !isNoteText(text)) {
    throw malformedNote()
  }
  return { text, signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): Signature {
  const [, name = '', base64 = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? []
  const blob = bytesOfBase64(base64)
  if (!isKeyName(name) || blob === undefined || blob.length < 5) throw malformedNote()
  return { name, keyId: Buffer.from(blob.subarray(0, 4)).toString('hex'), bytes: blob.subarray(4) }
}

function isNoteText(text: string): boolean {
  return text.isWellFormed() && text.endsWith('\n') && !/[\u0000-\u0009\u000b-\u001f]/u.test(text)
}

function malformedNote(): Refusal {
  return new Refusal('input-malformed', 'This is not a signed note: text, blank line, signatures.')
}
