import { describe, expect, it } from '@jest/globals';
import { Resvg } from '@resvg/resvg-js';
import jsqr from 'jsqr';
import { drawQr, newTemporaryPassword } from './passes.rules.js';

describe('a temporary password', () => {
  const made = Array.from({ length: 2_000 }, newTemporaryPassword);

  it('is two letters, two digits and two letters, none of which is taken for another', () => {
    for (const password of made) expect(password).toMatch(/^(?!.*[OIL01])[A-Z]{2}\d{2}[A-Z]{2}$/);
    const signs = new Set(made.join(''));
    for (const pair of ['B8', 'S5', 'Z2', 'G6', 'UV']) {
      expect([...pair].filter((sign) => signs.has(sign)).length).toBeLessThan(2);
    }
    expect(signs.size).toBe(26);
  });

  it('is another one each time', () => {
    // Of 6.7 million; that more than ten pairs of 2,000 are alike happens once in 10^11 times.
    expect(new Set(made).size).toBeGreaterThan(1_990);
  });
});

describe('the picture of a code', () => {
  const [BLACK, WHITE] = [0, 255];
  const picture = (code: string, width: number) => {
    const image = new Resvg(drawQr(code), { fitTo: { mode: 'width', value: width }, background: '#000' }).render();
    return { pixels: new Uint8ClampedArray(image.pixels), width: image.width, height: image.height };
  };

  it.each([60, 120, 256, 375, 1_000])('is read by a scanner when it is %i pixels wide', (size) => {
    for (const code of ['GYM-8-02ff152c', 'GYM-2147483647-ffffffff']) {
      const { pixels, width, height } = picture(code, size);
      expect([width, height]).toEqual([size, size]);
      expect(jsqr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data).toBe(code);
    }
  });

  it('is black on white, with four light squares around, also on a black page', () => {
    // 21 squares and 8 of the quiet zone, of ten pixels each.
    const { pixels, width } = picture('GYM-8-02ff152c', 290);
    const isInside = (place: number) => place >= 40 && place < width - 40;
    const colours = { inside: new Set<number>(), around: new Set<number>() };
    for (let y = 0; y < width; y++) {
      for (let x = 0; x < width; x++) {
        const where = isInside(x) && isInside(y) ? 'inside' : 'around';
        for (const part of [0, 1, 2]) colours[where].add(pixels[4 * (y * width + x) + part]!);
      }
    }
    expect(colours).toEqual({ inside: new Set([BLACK, WHITE]), around: new Set([WHITE]) });
  });
});
