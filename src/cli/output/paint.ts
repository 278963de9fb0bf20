import { type InspectColor, styleText } from 'node:util';

export type Paint = (style: InspectColor | readonly InspectColor[], text: string) => string;

/** Colours where the stream is a terminal that has some, and NO_COLOR does not say otherwise. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
