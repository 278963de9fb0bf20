/** CRLs as large as those of big CAs, written octet by octet: pkijs takes seconds for what these take milliseconds for. */

import { sign } from 'node:crypto';
import type { Minted } from '../../certs-dev/mint.ts';
import { nameDer } from '../../certs-dev/mint-names.ts';

export interface LargeCrlRequest {
  /** With a P-256 key. */
  readonly issuer: Minted;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: number;
  /** Content octets of a serial's INTEGER, positive and minimal; also among the entries. */
  readonly serials?: readonly Uint8Array[];
  /** Entries with made-up serials besides. */
  readonly fillers: number;
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = Buffer.from(
    length.toString(16).padStart(length < 0x100 ? 2 : length < 0x10000 ? 4 : length < 0x1000000 ? 6 : 8, '0'),
    'hex',
  );
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content]);
}

const utcTime = (date: Date): Buffer =>
  tlv(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`, 'latin1'));

const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const ECDSA_SHA256 = tlv(0x30, oid('2a8648ce3d040302'));
const KEY_COMPROMISE = tlv(0x30, tlv(0x30, oid('551d15'), tlv(0x04, tlv(0x0a, Buffer.of(1)))));

export function largeCrl(request: LargeCrlRequest): Buffer {
  const { issuer, thisUpdate, nextUpdate, number, fillers } = request;
  const date = utcTime(thisUpdate);
  const entries = (request.serials ?? []).map((serial) => tlv(0x30, tlv(0x02, serial), date, KEY_COMPROMISE));
  const filler = tlv(0x30, tlv(0x02, Buffer.alloc(16, 0x41)), date, KEY_COMPROMISE);
  const many = Buffer.alloc(filler.length * fillers);
  for (let i = 0; i < fillers; i += 1) {
    filler.copy(many, i * filler.length);
    // Behind the tags of entry and serial; scattered, as random serials are.
    many.writeUInt32BE(i, i * filler.length + 4 + 12);
    many.writeUInt32BE(Math.imul(i, 0x9e3779b1) >>> 0, i * filler.length + 4 + 5);
  }
  const list = entries.length + fillers === 0 ? [] : [tlv(0x30, ...entries, many)];
  const octets = Buffer.from(number.toString(16).padStart(8, '0'), 'hex');
  const serial = octets.subarray(
    octets.findIndex((octet, i) => i === 3 || octet !== 0 || (octets[i + 1] ?? 0) >= 0x80),
  );
  const extensions = tlv(
    0x30,
    tlv(0x30, oid('551d23'), tlv(0x04, tlv(0x30, tlv(0x80, issuer.subjectKeyId)))),
    tlv(0x30, oid('551d14'), tlv(0x04, tlv(0x02, serial))),
  );
  const tbs = tlv(
    0x30,
    tlv(0x02, Buffer.of(1)),
    ECDSA_SHA256,
    Buffer.from(nameDer(issuer.request.subject)),
    date,
    utcTime(nextUpdate),
    ...list,
    tlv(0xa0, extensions),
  );
  const signature = sign('sha256', tbs, { key: issuer.keys.privateKey, dsaEncoding: 'der' });
  return tlv(0x30, tbs, ECDSA_SHA256, tlv(0x03, Buffer.of(0), signature));
}
