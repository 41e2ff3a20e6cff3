/**
 * A script for a page. WCAG 1.4.3: texts and placeholders with less than 4.5:1 (3:1 where large) against the nearest
 * opaque ground.
 */
export const FAINT_TEXTS = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const over = (top, below) => [0, 1, 2].map((i) => (top[i] * top[3] + below[i] * (255 - top[3])) / 255).concat(255);
  const ground = (element) => {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 255]);
  };
  const contrast = (style, below) => {
    const [a, b] = [luminance(over(rgba(style.color), below)), luminance(below)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const faintPlaceholders = [...document.querySelectorAll('input[placeholder]')]
    .filter((element) => element.checkVisibility() && element.placeholder !== '' && element.value === '')
    .map((element) => [element.placeholder, contrast(getComputedStyle(element, '::placeholder'), ground(element))])
    .filter(([, ratio]) => ratio < 4.5)
    .map(([text, ratio]) => text + ' ' + ratio.toFixed(2));
  const faintTexts = [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
    .flatMap((element) => {
      const style = getComputedStyle(element);
      const below = ground(element);
      const ratio = contrast(style, below);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      return ratio >= (large ? 3 : 4.5) ? [] : [element.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2)];
    });
  return [...faintPlaceholders, ...faintTexts];
})()`;
