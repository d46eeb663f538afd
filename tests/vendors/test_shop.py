"""The shop's double answers who has its key."""

import aiohttp
import pytest

from tests.vendors.shop import TOKEN, Shop


@pytest.mark.parametrize(("token", "status"), [(TOKEN, 200), ("other", 401)])
async def test_only_its_key_opens_it(token: str, status: int):
    shop = Shop()
    headers = {"Authorization": f"Bearer {token}"}
    async with shop.serving() as url, aiohttp.ClientSession(headers=headers) as http:
        async with http.get(f"{url}/orders/7") as response:
            assert response.status == status
        async with http.post(f"{url}/repairs", json={"day": "Monday"}) as response:
            assert response.status == status
    assert shop.asked == (["/orders/7", "/repairs"] if status == 200 else [])
