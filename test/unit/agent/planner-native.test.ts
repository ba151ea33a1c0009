import { describe, expect, it } from 'vitest';
import { inShort, planned } from './planner-world.ts';

/** Requests as natives type them, each with the call that it makes. */
const requests = `
Kauf mir bitte 5 Aktien von Microsoft, aber höchstens zu 470. => place_order buy 5 MSFT limit limit_price=470
Verkauf bitte die Hälfte von meinen Apple-Aktien, aber nicht unter 260. => place_order sell 5 AAPL limit limit_price=260
Ich hätte gern 3 Netflix, zum aktuellen Kurs => place_order buy 3 NFLX
Verkaufe zehn Stück Coca-Cola, mindestens 79,50 das Stück => place_order sell 10 KO limit limit_price=79.50
Setz einen Stop bei 130 für alle meine Nvidia => place_order sell 20 NVDA stop stop_price=130
Wenn Apple unter 200 fällt, verkauf 5 Stück => place_standing_order sell 5 AAPL below=200
Sobald Apple unter 190 fällt, hätte ich gern 10 Stück davon. => place_standing_order buy 10 AAPL below=190
quiero 3 acciones de Netflix a precio de mercado porfa => place_order buy 3 NFLX
Vende la mitad de mis Apple, pero no por menos de 260 => place_order sell 5 AAPL limit limit_price=260
Cómprame tres de Microsoft, a lo sumo a 470 cada una => place_order buy 3 MSFT limit limit_price=470
Si Apple baja de 200, vende 5 de las mías porfa => place_standing_order sell 5 AAPL below=200
avisame cuando Nvidia pase los 1 mil => set_alert NVDA above=1000
Achète-moi 3 Microsoft, à 470 maximum => place_order buy 3 MSFT limit limit_price=470
Tu peux me prendre pour 500 dollars d'Apple stp ? => place_order buy $500 AAPL
Mets un stop à 130 sur toutes mes Nvidia => place_order sell 20 NVDA stop stop_price=130
Si Apple passe sous 200, vends-en 5 => place_standing_order sell 5 AAPL below=200
Préviens-moi quand Nvidia dépasse 12 000 => set_alert NVDA above=12000
Vende 15 da Coca a mercado, por favor => place_order sell 15 KO
Compra 3 da Microsoft pra mim, no máximo a 470 => place_order buy 3 MSFT limit limit_price=470
Queria comprar 4 ações da Disney, mas só se cair até 95. => place_standing_order buy 4 DIS below=95
넷플릭스 3주 지금 가격에 사주세요 => place_order buy 3 NFLX
애플 절반 팔아줘, 260달러 밑으로는 팔지 말고 => place_order sell 5 AAPL limit limit_price=260
JP모건이 280달러 밑으로 떨어지면 5주 팔아줘 => place_standing_order sell 5 JPM below=280
コカ・コーラ10株を最低79.5ドルで売ってください => place_order sell 10 KO limit limit_price=79.5
エヌビディア全部に130ドルの逆指値を入れて => place_order sell 20 NVDA stop stop_price=130
帮我买10股可口可乐,价格别超过50 => place_order buy 10 KO limit limit_price=50
卖掉一半苹果,不要低于260 => place_order sell 5 AAPL limit limit_price=260
英伟达跌到120就卖20股 => place_standing_order sell 20 NVDA below=120
`
  .trim()
  .split('\n')
  .map((line) => line.split(' => ') as [string, string]);

/** Requests for swaps and target weights: the sale or the first target. */
const both = `
Tausch meine Apple gegen Goldman Sachs => sell 10 AAPL + buy $
Verkauf 5 Microsoft und kauf vom Erlös Amazon => sell 5 MSFT + buy $
Cambia mis Apple por Goldman Sachs => sell 10 AAPL + buy $
Solde mes Apple et remets tout dans Coca. => sell 10 AAPL + buy $
Vende 5 da Microsoft e com o dinheiro compra Amazon => sell 5 MSFT + buy $
애플 다 팔고 그 돈으로 골드만삭스 사줘 => sell 10 AAPL + buy $
アップルを全部売ってそのお金でゴールドマンを買って => sell 10 AAPL + buy $
把苹果全卖了,换成SPY => sell 10 AAPL + buy $
`
  .trim()
  .split('\n')
  .map((line) => line.split(' => ') as [string, string]);

describe('a request in its writer’s language', () => {
  it.each(requests)('%s', (said, comesTo) => expect(inShort(planned([said]))).toBe(comesTo));

  it.each(both)('%s', (said, comesTo) =>
    expect(inShort(planned([said])).replaceAll('place_order ', '')).toContain(comesTo),
  );

  it.each([
    'Teil mein Depot so auf: 60 % SPY, 20 % Apple, Rest Cash',
    'Pon mi cartera así: 60 % SPY, 20 % Apple y lo demás en efectivo.',
    'Répartis mon portefeuille : 60 % SPY, 20 % Apple et le reste en liquide',
    'Deixa minha carteira assim: 60% SPY, 20% Apple e o resto em dinheiro',
    '내 포트폴리오를 SPY 60%, 애플 20%, 나머지는 현금으로 맞춰줘',
    'ポートフォリオをSPY60%、アップル20%、残りは現金にして',
    '把我的投资组合调成60% SPY、20% 苹果,其余现金',
  ])('sets target weights: %s', (said) => expect(inShort(planned([said]))).toContain('place_orders'));

  it.each([
    'Die Cola-Order kannst du wieder rausnehmen.',
    'Quita la orden de Coca-Cola',
    'Annule mon ordre sur Coca',
    'Tira a ordem da Coca por favor',
    '코카콜라 주문 빼줘',
    'コカ・コーラの注文を取り消して',
    '把可口可乐的单子撤了',
  ])('cancels an order: %s', (said) =>
    expect(inShort(planned([said], { orders: [{ symbol: 'KO' }] }))).toContain('cancel_order'),
  );

  it.each([
    'Erhöh das Limit bei meiner Apple-Order auf 184',
    'Sube el límite de mi orden de Apple a 184',
    'Passe la limite de mon ordre Apple à 184',
    'Sobe o limite da minha ordem da Apple pra 184',
    '애플 주문 가격 184달러로 올려줘',
    'アップルの指値を184ドルに上げて',
    '把苹果订单的限价改成184',
  ])('changes an order: %s', (said) =>
    expect(inShort(planned([said], { orders: [{ symbol: 'AAPL', limit_price: '180' }] }))).toContain('replace_order'),
  );

  it.each([
    'Mein Schwager meint, ich soll alle Nvidia raushauen. Ich seh das anders.',
    'Mi cuñado dice que venda todas las Nvidia, pero yo no lo veo',
    'Mon beau-frère dit de vendre toutes les Nvidia, moi je ne suis pas d’accord',
    'Meu cunhado falou pra vender todas as Nvidia, mas eu não acho',
    '처남이 엔비디아 다 팔라는데 난 생각이 달라',
    'エヌビディアを売ったほうがいいのかなあ、迷ってる',
    '我小舅子说把英伟达全卖了,我不这么看',
    'Sag mir Bescheid, wenn Nvidia über 120.000 geht',
    'Kauf Apple, aber nicht',
    'no compres Apple',
    '把苹果全卖了是不是太早',
  ])('places nothing for: %s', (said) => expect(planned([said])).toHaveProperty('refusal'));
});
